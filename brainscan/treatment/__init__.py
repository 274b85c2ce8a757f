"""Treatment: change what was found, say what it cost, and say whether it is gone or only held down.

One protocol, one file a kind. This room refuses to know recipes, scans, verdicts and pages: what is to be changed
comes to it as a ``Behaviour``, and what a treatment did leaves it as a record.
"""
