"""A local Slack workspace: Web API, Socket Mode, response URLs and the people who use it, all in memory."""
