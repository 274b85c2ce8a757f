"""An OpenAI-compatible server whose every answer carries its monitors' verdict.

This room refuses to know how monitors are fitted, where files lie and what the database looks like: it is handed
a subject, a monitor and a place to put incidents.
"""
