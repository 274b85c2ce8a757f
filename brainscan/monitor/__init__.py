"""Calibrated alarms inside live generation: rules, thresholds that promise a rate of false alarms, verdicts.

Rules read the activations of the pass that generates anyway, so that several cost little more than one.
This room refuses to know scans, the network, the database and where files lie.
"""
