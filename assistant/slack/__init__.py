"""Slack as a surface: what is shown there, what people may press, and a Slack on loopback."""
