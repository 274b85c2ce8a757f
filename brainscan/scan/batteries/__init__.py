"""Batteries of the behaviour instrument: one kind of question to a subject in each file.

A battery looks (runs the subject) and judges (arithmetic alone). It refuses to know plans, scans and verdicts.
"""
