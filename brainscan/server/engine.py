"""The engine: one thread that owns the model and gives every active answer a pass in turn.

Fairness, back-pressure and endings are decided here. A job whose reader is slow is passed over; a job whose reader
went away, whose time is up or whom a shutdown meets ends at once, with its verdict and, after an alarm, its
incident. An incident is written before its alarm is told; if it cannot be written, the answer fails closed.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from brainscan.core.errors import BrainscanError
from brainscan.monitor.abstain import ABSTAINED, Abstainer
from brainscan.monitor.drift import Drift
from brainscan.monitor.fit import FLOOR
from brainscan.monitor.incident import Ending, Incident
from brainscan.monitor.panel import Panel
from brainscan.monitor.record import Verdict
from brainscan.monitor.run import Run
from brainscan.server.job import Done, Job, Piece, Raised, cut, showable
from brainscan.subject.language import LanguageSubject

_FINISHED = ("end", "length", "stop")
"""Endings of a whole answer."""

_IDLE = 0.02
"""Seconds between two looks at jobs that all wait for their readers."""


class Busy(Exception):
    """The queue is full, or the server is going down."""


Keeper = Callable[[Incident], None]
"""Writes an incident; called again under the same id when its answer has ended. What it raises fails the answer."""


@dataclass(frozen=True)
class Origin:
    """Where subject and monitor came from, for whoever replays an incident."""

    subject_spec: str
    monitor_file: str


@dataclass(frozen=True)
class Limits:
    """See ``ServeSettings``."""

    max_active: int = 8
    max_queue: int = 64


class Listener(Protocol):
    """Counts what happens."""

    def passed(self, tokens: int, seconds: float) -> None:
        """A pass has released so many tokens."""
        ...

    def ended(self, ending: Ending, verdict: Verdict) -> None:
        """An answer has ended."""
        ...


class Engine:
    """Generates for many jobs in turn, under watch.

    Args:
        subject: who speaks.
        panel: who watches.
        origin: where subject and monitor came from.
        keeper: where incidents go.
        listener: who counts.
        drift: told the score of every finished answer that can be compared with calibration's.
        limits: how many jobs at once, and how many wait.
        abstainer: under a guarantee, what decides whether a finished answer is given; it is held back until then.
    """

    def __init__(
        self,
        subject: LanguageSubject,
        panel: Panel,
        origin: Origin,
        keeper: Keeper,
        listener: Listener,
        drift: Drift,
        limits: Limits,
        abstainer: Abstainer | None = None,
    ) -> None:
        self.subject, self.panel, self.origin, self.abstainer = subject, panel, origin, abstainer
        self.keeper, self.listener, self.drift = keeper, listener, drift
        self.max_active, self.max_queue = limits.max_active, limits.max_queue
        self.active: list[Job] = []
        self.waiting: deque[Job] = deque()
        self.beat = time.monotonic()
        """When the thread last showed life."""
        self._changed = threading.Condition()
        self._closing: float | None = None
        self._thread = threading.Thread(target=self._work, name="brainscan-engine", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Take a job on.

        Raises:
            Busy: too many wait already, or the server is going down.
        """
        with self._changed:
            if self._closing is not None:
                raise Busy("The server is shutting down.")
            if len(self.active) + len(self.waiting) >= self.max_active + self.max_queue:
                raise Busy("Too many requests are waiting.")
            self.waiting.append(job)
            self._changed.notify()

    def close(self, grace: float) -> None:
        """Take on nothing more; what runs has ``grace`` seconds to end by itself. Returns at once."""
        with self._changed:
            if self._closing is None:
                self._closing = time.monotonic() + grace
            self._changed.notify()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until everything has ended; whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """The thread runs and is not stuck in one pass."""
        return self._thread.is_alive() and (time.monotonic() - self.beat < 60 or not self.active)

    @property
    def closing(self) -> bool:
        """Nothing more is taken on."""
        return self._closing is not None

    # --- the thread -----------------------------------------------------------------------

    def _work(self) -> None:
        while self._wait():
            moved = False
            for job in tuple(self.active):
                self.beat = time.monotonic()
                if not self._guarded(job):
                    self.active.remove(job)
                moved = moved or not job.waits_for_reader
            if not moved:
                time.sleep(_IDLE)

    def _wait(self) -> bool:
        """Sleep until there is work, admit what may run; False when all is done."""
        with self._changed:
            while not self.active and not self.waiting:
                if self._closing is not None:
                    return False
                self._changed.wait()
            for _ in range(len(self.waiting)):
                job = self.waiting.popleft()
                # One that cannot wait any longer is let in beyond the limit: all that is left to do is to end it.
                admitted = len(self.active) < self.max_active or self._cut_short(job)
                (self.active if admitted else self.waiting).append(job)
            return True

    def _guarded(self, job: Job) -> bool:
        """One turn of a job; True when it has more to come. Nothing that goes wrong in one harms another."""
        try:
            return self._turn(job)
        except Exception as error:
            said = error.cause if isinstance(error, BrainscanError) else f"{type(error).__name__} in the engine."
            self._fail(job, said)
            return False

    def _turn(self, job: Job) -> bool:
        if ending := self._cut_short(job):
            self._end(job, ending)
            return False
        if job.waits_for_reader:
            return True
        run = self._run_of(job)
        began, released = time.perf_counter(), run.rows[0].released
        run.advance()
        row = run.rows[0]
        self.listener.passed(row.released - released, time.perf_counter() - began)
        if run.watched.read[0] == self.panel.monitor.promise.answer_tokens:
            job.score = run.watched.combined(0)
        stopped = self._show(job, run)
        if row.ended or stopped:
            self._end(job, row.ended or "stop")
            return False
        return True

    def _cut_short(self, job: Job) -> Ending:
        now = time.monotonic()
        if job.cancelled.is_set():
            return "cancelled"
        if now > job.deadline:
            return "timeout"
        if self._closing is not None and now > self._closing:
            return "shutdown"
        return ""

    def _show(self, job: Job, run: Run) -> bool:
        """Tell alarms, then the text that the monitors have passed; True when a stop sequence ended it."""
        text, stopped = cut(self.subject.text(run.rows[0].answer), job.stops)
        if stopped:
            run.close(0)
        self._tell_alarms(job, run)
        if stopped and run.rows[0].ended == "monitor":
            return True
        final = stopped or bool(run.rows[0].ended)
        if self.abstainer is not None:
            job.held = text
            return stopped
        ready = text if final else showable(text, job.stops)
        if len(ready) > len(job.shown):
            job.tell(Piece(ready[len(job.shown) :]))
            job.shown = ready
        return stopped

    def _tell_alarms(self, job: Job, run: Run) -> None:
        """Tell the alarms that were not told yet, once their incident is kept."""
        alarms = run.watched.alarms[0]
        if len(alarms) > job.alarms:
            self._keep(job, run, "")
            for alarm in alarms[job.alarms :]:
                job.tell(Raised(alarm))
            job.alarms = len(alarms)

    def _end(self, job: Job, ending: Ending) -> None:
        run = self._run_of(job)
        run.close(0)
        self._tell_alarms(job, run)
        ending = "monitor" if run.rows[0].ended == "monitor" else ending
        verdict = run.verdict(0)
        if ending in _FINISHED:
            self._see_drift(job, run)
        if self.abstainer is not None and ending in _FINISHED:
            verdict, given = self.abstainer.judged(run)
            job.tell(Piece(job.held if given else ABSTAINED))
            ending = ending if given else "abstained"
        if verdict.alarms or verdict.failure:
            self._keep(job, run, ending)
        self._done(job, ending, verdict)

    def _see_drift(self, job: Job, run: Run) -> None:
        """Hand on a score that can be compared with calibration's: of an answer drawn as there, ended by itself or read
        as far as those were. What was cut shorter, or drawn otherwise, is no sign that traffic has changed."""
        if run.rows[0].ended == "end" and run.verdict(0).within_promise:
            job.score = run.watched.combined(0)
        if job.score is not None and run.watched.drawn == self.panel.monitor.promise.drawn:
            self.drift.see(max(FLOOR, job.score))

    def _run_of(self, job: Job) -> Run:
        sites = self.abstainer.sites if self.abstainer else ()
        job.run = job.run or Run(self.subject, self.panel, [job.prompt], job.decoding, record=sites)
        return job.run

    def _fail(self, job: Job, why: str) -> None:
        """The job's monitor, its model or its incident's place cannot be trusted: end it and say so."""
        run = self._run_of(job)
        run.watched.fail(0, why)
        try:
            self._keep(job, run, "monitor")
        except Exception as error:
            run.watched.failures[0] = f"{why} Its incident could not be kept: {type(error).__name__}."
        self._done(job, "monitor", run.verdict(0))

    def _keep(self, job: Job, run: Run, ending: Ending) -> None:
        """Write the job's incident as it stands, under one id for good."""
        job.incident = job.incident or uuid.uuid4().hex
        row, verdict, card = run.rows[0], run.verdict(0), self.subject.card
        incident = Incident(
            id=job.incident,
            created_utc=job.created_utc,
            subject_name=card.name,
            subject_spec=self.origin.subject_spec,
            weights_sha256=card.weights_sha256,
            monitor_file=self.origin.monitor_file,
            prompt=self.subject.text(row.prompt, special=True),
            prompt_ids=tuple(row.prompt),
            answer=self.subject.text(row.chosen),
            answer_ids=tuple(row.chosen),
            temperature=job.decoding.temperature,
            top_p=job.decoding.top_p,
            seed=job.decoding.seed,
            max_new=job.decoding.max_new,
            ending=ending,
            verdict=verdict,
            open=verdict.outcome in ("handed_over", "failed"),
        )
        self.keeper(incident)

    def _done(self, job: Job, ending: Ending, verdict: Verdict) -> None:
        assert job.run is not None
        self.listener.ended(ending, verdict)
        job.tell(Done(ending, verdict, len(job.prompt), len(job.run.rows[0].answer), job.incident))
        job.run.cache = None


def deadline(seconds: float, clock: Callable[[], float] = time.monotonic) -> float:
    """The moment, on the engine's clock, that lies so many seconds ahead."""
    return clock() + seconds
