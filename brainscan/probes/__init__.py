"""Directions and classifiers over captured activations, one kind a file.

This room refuses to know models and texts: it is handed arrays.

Every probe speaks one protocol (``brainscan.probes.protocol.Probe``): the constructor stores its
settings, ``fit(x, y)`` learns from activations [n, d] and labels [n], ``score(x)`` gives one number a
row, higher = more of the concept, and what was learned ends in an underscore. A probe of one's own is
judged by ``brainscan.probes.conformance.check_probe``.
"""
