"""Slack in and out: the only package that imports slack_bolt and slack_sdk."""

__version__ = "0.1.0"
