"""A scan of a vision model: its self-check, its plan and its instruments, in the records of every scan."""
