"""Words that every room shares: addresses, evidence, provenance, errors, statistics.

This room refuses to know torch, models, files of models, the database and the terminal.
"""
