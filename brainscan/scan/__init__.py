"""Plan, run and record a scan: what was asked, which instruments ran, what they measured.

Its records (``record``, ``plan``) open without torch. This room refuses to judge: whether a
measurement is bad news is decided one floor up, in ``diagnosis``.
"""
