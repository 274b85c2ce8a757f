"""What the channels of a vision model respond to: one pass over images, selectivity, examples, names, pictures made for them.

This room refuses to know circuits, verdicts and pages.
"""
