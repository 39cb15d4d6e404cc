"""Crash torture: the whole production story, told again and again by a bot that is killed at a boundary (I1, I2)."""
