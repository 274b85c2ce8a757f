"""Games: planting known flaws and clean twins, so that the scanner can be tested on known patients.

This room refuses to know how a scan is made or judged: who plants must not see who finds.
"""
