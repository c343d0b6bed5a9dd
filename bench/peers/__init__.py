"""Published methods on the cases that firstline is measured on, in the same run."""
