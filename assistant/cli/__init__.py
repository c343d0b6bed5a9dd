"""One module a command: what it prints, and with which exit status it ends."""
