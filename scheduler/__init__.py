"""What happens as time passes: one file per sweep. A sweep is a `tick(now)`; it knows no due time but the rows'."""
