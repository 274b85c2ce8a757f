"""A subject and its monitor, opened together: what serving and replaying start from."""

from __future__ import annotations

from dataclasses import dataclass

from brainscan.monitor.abstain import Abstainer
from brainscan.monitor.panel import Panel
from brainscan.monitor.record import Arrays, Monitor
from brainscan.monitor.replay import check_fit
from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Watch:
    """Who speaks, who watches, and under a guarantee who decides whether an answer is given."""

    subject: LanguageSubject
    panel: Panel
    abstainer: Abstainer | None = None

    @classmethod
    def of(cls, subject: LanguageSubject, monitor: Monitor, arrays: Arrays) -> Watch:
        """Put a monitor beside its subject.

        Raises:
            UsageError: the monitor was fitted on another subject.
        """
        check_fit(monitor, subject)
        abstainer = Abstainer(monitor, arrays, subject) if monitor.guarantee else None
        return cls(subject, Panel(monitor, arrays), abstainer)
