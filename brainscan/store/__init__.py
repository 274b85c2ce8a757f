"""The database of scans: tables, migrations and queries over plain rows.

This room refuses to know what a scan means, torch, and the pages.
"""
