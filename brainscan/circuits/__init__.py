"""Circuits: which steps inside a model led to one outcome, and whether each step survives an edit.

A model is frozen around one prompt (attention patterns, normalisation scales, non-linearities), so that what one part
adds to another is an exact number. This room refuses to know training, the database, the terminal and what a finding is.
"""
