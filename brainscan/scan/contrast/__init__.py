"""Contrasts: what a subject holds inside while it is asked for a concept and while it is not.

Reads activations and hands them to ``brainscan.probes``; it gives no opinion on what they mean.
"""
