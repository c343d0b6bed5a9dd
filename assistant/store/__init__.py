"""What has to survive a restart: one SQLite database and the small tables that are not history."""
