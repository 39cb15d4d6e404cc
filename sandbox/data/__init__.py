"""What the simulated nodes are made of: real rows of a Debian 12 machine and, apart from them, made-up versions."""
