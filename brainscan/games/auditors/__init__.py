"""Auditors: scripted black-box ones, a person, an agent behind an endpoint.

This room refuses to know what the recipes of this project plant, and how: its texts were written without
reading them, as an opponent's would be.
"""
