"""Counters for Prometheus, in a registry of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from brainscan.monitor.drift import Drift
from brainscan.monitor.incident import Ending
from brainscan.monitor.record import Verdict


class Metrics:
    """What happened since the server began; it speaks the engine's listener protocol."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "brainscan_requests", "Requests by path and HTTP status.", ["path", "status"], registry=self.registry
        )
        self.answers = Counter(
            "brainscan_answers",
            "Answers by how they ended and their verdict.",
            ["ending", "outcome"],
            registry=self.registry,
        )
        self.alarms = Counter(
            "brainscan_alarms", "Alarms by rule and policy.", ["rule", "policy"], registry=self.registry
        )
        self.failures = Counter(
            "brainscan_monitor_failures", "Answers whose monitors could not be trusted.", registry=self.registry
        )
        self.tokens = Counter("brainscan_tokens", "Tokens released.", registry=self.registry)
        self.step = Histogram(
            "brainscan_pass_seconds", "Seconds a pass takes, monitors included.", registry=self.registry
        )
        self.active = Gauge("brainscan_active", "Answers being generated.", registry=self.registry)
        self.waiting = Gauge("brainscan_waiting", "Requests waiting for their turn.", registry=self.registry)
        self.drift = Gauge(
            "brainscan_drift_capital", "Evidence that traffic has drifted; 100 is an alarm.", registry=self.registry
        )

    def passed(self, tokens: int, seconds: float) -> None:
        """A pass has released so many tokens."""
        self.tokens.inc(tokens)
        self.step.observe(seconds)

    def ended(self, ending: Ending, verdict: Verdict) -> None:
        """An answer has ended."""
        self.answers.labels(ending, verdict.outcome).inc()
        for alarm in verdict.alarms:
            self.alarms.labels(alarm.rule, alarm.policy).inc()
        if verdict.failure:
            self.failures.inc()

    def page(self, active: int, waiting: int, drift: Drift) -> bytes:
        """The exposition page."""
        self.active.set(active)
        self.waiting.set(waiting)
        self.drift.set(drift.capital)
        return generate_latest(self.registry)
