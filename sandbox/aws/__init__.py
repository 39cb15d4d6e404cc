"""A simulated AWS: Systems Manager served here and checked against botocore's model, every other service by moto."""
