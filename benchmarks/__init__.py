"""Measurements, each a program that prints what it found: `make bench` runs them all."""
