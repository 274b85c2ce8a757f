"""For all tests: how long drawing examples takes says something about the machine, nothing about brainscan."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("brainscan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("brainscan")
