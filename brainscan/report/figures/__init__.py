"""Drawings of the report, as static SVG and indexed PNG.

This room refuses to know verdicts, templates and files: arrays and numbers go in, markup comes out.
"""
