"""What people see in Slack and in e-mail: pure functions from a read model to (text, blocks). No I/O, no clock (I5)."""
