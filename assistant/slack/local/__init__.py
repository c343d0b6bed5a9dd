"""A Slack on loopback that refuses what Slack refuses: for the demo, the local page and tests."""
