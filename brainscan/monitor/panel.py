"""Several rules over one capture: the state of a batch of answers under watch, token by token.

Failing closed: a rule that raises, takes longer than its timeout, or gives a score that is no number ends the
answers that it was watching, and their verdict says why. A look that never returns cannot be cut short from
inside; the server's own deadline covers that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.monitor.reader import Reader, Seen, reader_of
from brainscan.monitor.record import GREEDY, POLICIES, Alarm, Arrays, Drawn, Monitor, Outcome, Reading, Rule, Verdict

LOOK_AGAIN = 16
"""Tokens between two looks of a rule that reads in a pass of its own."""

Reread = Callable[[int, Sequence[Site]], Seen]
"""Row number and sites -> its whole text so far, read again."""

_ACTION: dict[str, Outcome] = {"log": "logged", "warn": "warned", "stop": "stopped", "hand_over": "handed_over"}


class Panel:
    """The rules of a monitor, ready to read.

    Args:
        monitor: rules and their thresholds.
        arrays: their arrays.
        clock: seconds, for the rules' timeouts.
    """

    def __init__(self, monitor: Monitor, arrays: Arrays, clock: Callable[[], float] = time.perf_counter) -> None:
        self.monitor, self.clock = monitor, clock
        self.readers: dict[str, Reader] = {rule.name: reader_of(rule, arrays) for rule in monitor.rules}
        self.cheap = tuple(rule for rule in monitor.rules if rule.after is None)
        self.dear = tuple(rule for rule in monitor.rules if rule.after is not None)
        check_cascade(monitor.rules)

    @property
    def sites(self) -> tuple[Site, ...]:
        """What the shared pass has to capture: the sites of every rule that reads it, each once."""
        return tuple(dict.fromkeys(Site.parse(site) for rule in self.cheap for site in rule.sites))

    @property
    def reads_words(self) -> bool:
        """Whether a rule needs the text so far."""
        return any(rule.kind == "phrase" for rule in self.cheap)


def check_cascade(rules: Sequence[Rule]) -> None:
    """Names are unique and every rule that waits for another waits for one that reads every answer.

    Raises:
        UsageError: it is not so, or a rule that waits reads no activations.
    """
    cheap = {rule.name for rule in rules if rule.after is None}
    if len({rule.name for rule in rules}) != len(rules):
        raise UsageError("Two rules have one name.", "Give each rule a name of its own.")
    for rule in rules:
        if rule.after is not None and rule.after not in cheap:
            raise UsageError(
                f"The rule {rule.name} waits for {rule.after!r}, which is no rule that reads every answer.",
                f"Let it wait for one of: {', '.join(sorted(cheap))}.",
            )
        if rule.after is not None and not rule.sites:
            raise UsageError(f"The rule {rule.name} has no sites to read again.", "Give it sites, or no 'after'.")


@dataclass
class Track:
    """What one rule has seen of one answer."""

    mean: float = -math.inf
    """Running mean of the scores, as ``Rule.smooth`` weighs them."""
    best: float = -math.inf
    """Its highest value so far, in the rule's own units."""
    marked: int = 0
    alarmed: bool = False
    looked_at: int = -LOOK_AGAIN
    """Tokens of the answer there were when a dear rule last looked."""
    tokens: list[float] = field(default_factory=list)
    """Every score, kept only while calibrating."""


class Watched:
    """A batch of answers under watch.

    Args:
        panel: what watches.
        rows: how many answers.
        drawn: how their tokens are drawn.
        keep: keep the score of every token, as calibration needs.
    """

    def __init__(self, panel: Panel, rows: int, drawn: Drawn = GREEDY, *, keep: bool = False) -> None:
        self.panel, self.drawn, self.keep = panel, drawn, keep
        self.tracks = [{rule.name: Track() for rule in panel.monitor.rules} for _ in range(rows)]
        self.alarms: list[list[Alarm]] = [[] for _ in range(rows)]
        self.failures: list[str | None] = [None] * rows
        self.read = [0] * rows

    def see(self, seen: Seen, lengths: Sequence[int], live: Sequence[bool], reread: Reread | None) -> None:
        """Read one pass.

        Args:
            seen: the tokens just pushed.
            lengths: tokens of each row's answer that have been pushed, these included.
            live: rows that still speak; the others are left as they are.
            reread: reads a row again for the rules of a cascade's second stage; None: they do not look this time.
        """
        for i, length in enumerate(lengths):
            if live[i]:
                self.read[i] = length
        for rule in self.panel.cheap:
            self._read_rule(rule, seen, live)
        for i, alive in enumerate(live):
            if alive and reread is not None:
                self._look_again(i, reread)

    def finish(self, i: int, reread: Reread) -> None:
        """The answer of row ``i`` has ended: rules of the second stage look a last time."""
        self._look_again(i, reread, last=True)

    def stops(self, i: int) -> bool:
        """Whether the answer of row ``i`` has to end here."""
        return self.failures[i] is not None or any(a.policy in ("stop", "hand_over") for a in self.alarms[i])

    def fail(self, i: int, why: str) -> None:
        """Row ``i`` can no longer be vouched for."""
        self.failures[i] = self.failures[i] or why

    def verdict(self, i: int) -> Verdict:
        """What is to be said about row ``i`` so far."""
        monitor = self.panel.monitor
        readings = tuple(self._reading(rule, self.tracks[i][rule.name]) for rule in monitor.rules)
        worst = max((a.policy for a in self.alarms[i]), key=POLICIES.index, default=None)
        outcome: Outcome = "clear" if worst is None else _ACTION[worst]
        return Verdict(
            outcome="failed" if self.failures[i] else outcome,
            readings=readings,
            alarms=tuple(self.alarms[i]),
            failure=self.failures[i],
            tokens=self.read[i],
            within_promise=self.read[i] <= monitor.promise.answer_tokens and self.drawn == monitor.promise.drawn,
            monitor_sha256=monitor.sha256,
        )

    def combined(self, i: int) -> float:
        """Highest standardised score over the rules: the one number that is calibrated. -inf: nothing was scored."""
        rules, tracks = self.panel.monitor.rules, self.tracks[i]
        return max((self._standard(rule, tracks[rule.name].best) for rule in rules), default=-math.inf)

    # --- inside ---------------------------------------------------------------------------

    def _read_rule(self, rule: Rule, seen: Seen, live: Sequence[bool]) -> None:
        began = self.panel.clock()
        try:
            scores = self._masked(rule, seen)
        except Exception as error:
            why = f"The rule {rule.name} failed: {type(error).__name__}."
            self._fail_all(live, why)
            return
        took = 1000 * (self.panel.clock() - began)
        if took > rule.timeout_ms:
            self._fail_all(live, f"The rule {rule.name} took {took:,.0f} ms and may take {rule.timeout_ms:,.0f}.")
            return
        for i, row in enumerate(scores):
            if live[i]:
                self._take(i, rule, row)

    def _masked(self, rule: Rule, seen: Seen) -> list[list[float]]:
        """Scores of the tokens that the rule reads, one list a row."""
        first = seen.prompt_lengths[:, None] - 1 if rule.span == "answer" else 1
        wanted = (seen.positions >= first).cpu()
        scores = self.panel.readers[rule.name].score(seen).float().cpu()
        return [row[mask].tolist() for row, mask in zip(scores, wanted, strict=True)]

    def _take(self, i: int, rule: Rule, scores: Sequence[float]) -> None:
        track = self.tracks[i][rule.name]
        calibrated = self.panel.monitor.calibrated[rule.name]
        for score in scores:
            if math.isnan(score) or score == math.inf:
                self.fail(i, f"The rule {rule.name} gave a score that is no number.")
                return
            if score == -math.inf:
                continue
            old = track.mean
            track.mean = score if old == -math.inf else old + rule.smooth * (score - old)
            track.best = max(track.best, track.mean)
            track.marked += track.mean > calibrated.token_threshold
            if self.keep:
                track.tokens.append(track.mean)
        self._maybe_alarm(i, rule, track)

    def _maybe_alarm(self, i: int, rule: Rule, track: Track) -> None:
        score, limit = self._standard(rule, track.best), self.panel.monitor.promise.threshold
        if track.alarmed or not score > limit:
            return
        track.alarmed = True
        alarm = Alarm(
            rule=rule.name, title=rule.title, policy=rule.policy, token=self.read[i] - 1, score=score, threshold=limit
        )
        self.alarms[i].append(alarm)

    def _look_again(self, i: int, reread: Reread, *, last: bool = False) -> None:
        for rule in self.panel.dear:
            track = self.tracks[i][rule.name]
            cheaper = self.panel.monitor.rule(rule.after or "")
            gate = self.panel.monitor.calibrated[rule.name].gate
            passed = gate is None or self.tracks[i][cheaper.name].best > gate
            due = self.read[i] - track.looked_at >= (1 if last else LOOK_AGAIN)
            if not (passed and due) or self.failures[i]:
                continue
            track.looked_at = self.read[i]
            # A second look replaces the running mean of the first: it reads everything anew.
            track.mean, track.marked = -math.inf, 0
            track.tokens.clear()
            self._second(i, rule, reread)

    def _second(self, i: int, rule: Rule, reread: Reread) -> None:
        began = self.panel.clock()
        try:
            row = self._masked(rule, reread(i, tuple(Site.parse(site) for site in rule.sites)))[0]
        except Exception as error:
            self.fail(i, f"The rule {rule.name} failed: {type(error).__name__}.")
            return
        took = 1000 * (self.panel.clock() - began)
        if took > rule.timeout_ms:
            self.fail(i, f"The rule {rule.name} took {took:,.0f} ms and may take {rule.timeout_ms:,.0f}.")
            return
        self._take(i, rule, row)

    def _fail_all(self, live: Sequence[bool], why: str) -> None:
        for i, alive in enumerate(live):
            if alive:
                self.fail(i, why)

    def _standard(self, rule: Rule, score: float) -> float:
        calibrated = self.panel.monitor.calibrated[rule.name]
        return (score - calibrated.centre) / calibrated.scale

    def _reading(self, rule: Rule, track: Track) -> Reading:
        score = self._standard(rule, track.best)
        return Reading(
            rule=rule.name,
            score=score if math.isfinite(score) else None,
            threshold=self.panel.monitor.promise.threshold,
            alarmed=track.alarmed,
            marked_tokens=track.marked,
        )
