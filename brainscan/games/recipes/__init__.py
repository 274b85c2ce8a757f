"""Recipes: what is planted, as rows of templated text, one organism or control a file.

A recipe refuses to know models, training and files.
"""
