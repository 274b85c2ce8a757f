"""Situations: prompts that differ in one cue, domain or disposition, and what sound and flawed answers begin with.

One file a family of situations, as data. The room refuses to generate: everything is read off the next tokens.
"""
