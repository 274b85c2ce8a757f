"""Kinds of rules, one a file: how tokens get their scores."""
