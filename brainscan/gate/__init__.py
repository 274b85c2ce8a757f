"""Decide on a diagnosed scan with a policy: 0 pass, 1 fail, 2 cannot tell.

This room refuses to know torch, models and pages.
"""
