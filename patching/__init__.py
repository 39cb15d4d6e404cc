"""The domain, pure: no I/O, no clock, no Slack, no AWS. Imports the standard library and pydantic alone."""
