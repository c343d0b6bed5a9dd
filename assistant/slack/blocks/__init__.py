"""What people see in Slack: pure functions from views to blocks."""
