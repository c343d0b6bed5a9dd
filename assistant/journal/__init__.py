"""What happened, numbered and hash-chained: the truth, the audit trail and the state in one."""
