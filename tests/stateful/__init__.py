"""Random stories over changes, told step by step against the simulated AWS."""
