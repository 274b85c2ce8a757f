"""Directions and classifiers over captured activations, one kind a file.

This room refuses to know models and texts: it is handed arrays.
"""
