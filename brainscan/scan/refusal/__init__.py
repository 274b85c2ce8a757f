"""The refusal direction: found in activations, tested by edits, arrays and readings apart.

This room refuses to know plans and verdicts; ``brainscan.scan.instruments.refusal`` puts its parts together.
"""
