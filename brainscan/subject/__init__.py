"""The network under examination: finding and loading it, one hook implementation, generation.

This room refuses to know instruments, scans and verdicts. transformers is imported here and
nowhere else.
"""
