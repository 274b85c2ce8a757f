"""Render a finished scan and its diagnosis: terminal, one-file HTML, JSON, SARIF, JUnit.

This room refuses to know torch, models and the database; it never judges.
"""
