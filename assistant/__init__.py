"""The incident-response assistant: takes a question or an alert, explains it with evidence."""
