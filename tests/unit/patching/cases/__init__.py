"""Cases of the comparison, a file per family of operating systems."""
