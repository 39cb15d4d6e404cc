"""What somebody can ask for: one file per command."""
