"""The device log, what would be decided now, long work and the audit, for programs."""
