"""The embedded default: a simulated AWS and a local Slack workspace. Nothing but the CLI's `sandbox` imports it."""
