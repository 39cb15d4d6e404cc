"""Months of maintenance windows lived through in minutes: who is told of them, by a bot that dies now and then (I7)."""
