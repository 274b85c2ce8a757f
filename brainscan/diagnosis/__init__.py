"""From measurements to findings: criteria as data, calibration, one condition a file.

This room reads a finished scan and refuses to know torch, models and pages.
"""
