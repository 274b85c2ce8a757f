"""A course of treatment: everything from the first look to the record.

Numbered acts: 1) the subject before, on held-out prompts and in the ledger; 2) candidates of the kind; 3) dose finding
against the guard; 4) the chosen dose on held-out prompts, with its ledger; 5) baselines at equal distance from the
untreated subject; 6) relapse; 7) the record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Cost
from brainscan.core.provenance import versions
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.behaviour import Behaviour, rate, spread
from brainscan.treatment.dose import DoseCurve, Guard, dose_of_equal_kl, find_dose
from brainscan.treatment.kinds.random_direction import RandomDirection
from brainscan.treatment.ledger import Material, State, compare_states, read_distance, read_state
from brainscan.treatment.make import DOSES, Regimen, candidates, check_kind
from brainscan.treatment.protocol import BASELINES, Treatment
from brainscan.treatment.record import MARGIN, Measured, Rate, RelapseTest, TreatmentRecord, decide_fate
from brainscan.treatment.relapse import Attack, Relapse
from brainscan.treatment.texts.neutral import TEXTS
from brainscan.treatment.treated import treated, treatment_hash

Progress = Callable[[float, str], None]
_RANDOM_NORM = 0.1
"""Of a random direction at dose 1, relative to the stream at its site; its dose is then matched."""


@dataclass(frozen=True)
class Plan:
    """What a course does."""

    kind: str = "unlearn"
    regimen: Regimen = field(default_factory=Regimen)
    guard: Guard = field(default_factory=Guard)
    material: Material = field(default_factory=Material)
    baselines: tuple[str, ...] = BASELINES
    attack: Attack | None = field(default_factory=Attack)
    """None leaves relapse out, and the fate cannot be told."""
    made: Mapping[str, Treatment] = field(default_factory=dict)
    """Candidates that are given instead of made, by name."""
    keep: int = 2
    """Candidates that are walked up the doses after screening."""
    doses: tuple[float, ...] = ()
    """Smallest first; the kind's own when empty."""
    command: str = ""


@dataclass(frozen=True, eq=False)
class Before:
    """The subject without treatment: seen once, compared with as often as it is treated."""

    on: Rate
    off: Rate
    state: State


@dataclass(frozen=True)
class Finished:
    """A record and the treatment that it is of, at its chosen dose."""

    record: TreatmentRecord
    treatment: Treatment


def run_course(
    subject: LanguageSubject,
    behaviour: Behaviour,
    reference: LanguageSubject | None = None,
    plan: Plan = Plan(),
    progress: Progress = lambda fraction, what: None,
    before: Before | None = None,
) -> Finished:
    """Treat a behaviour of a subject; the subject is the same afterwards.

    Args:
        before: from ``look_before``, where the same subject is treated in several ways.

    Raises:
        PlanError: there are no held-out prompts, the behaviour shows on none, or there was no treatment to try.
        UsageError: the kind needs something that was not given.
    """
    if not behaviour.on or not behaviour.learn:
        raise PlanError("The behaviour has no prompts to learn from or to test on.", "Give some of both.")
    if not plan.made:
        check_kind(plan.kind, reference=reference is not None, answers=bool(plan.regimen.answers))
    started = time.monotonic()
    course = _Course(subject, behaviour, reference, plan)
    progress(0.0, "the subject before")
    before = before or look_before(subject, behaviour, plan.material)
    progress(0.15, f"making treatments of the kind {plan.kind}")
    made_at = time.monotonic()
    made = plan.made or candidates(plan.kind, subject, behaviour, reference, plan.regimen)
    progress(0.35, "dose finding")
    curve = find_dose(subject, made, behaviour, plan.guard, plan.doses or DOSES.get(plan.kind, (1.0,)), plan.keep)
    treatment, why = _chosen(curve, made)
    seconds = time.monotonic() - made_at
    progress(0.5, "held-out prompts and side effects")
    measured = course.measure(treatment, before.state, seconds)
    progress(0.6, "baselines")
    baselines = course.baselines(measured.kl)
    progress(0.8, "relapse")
    tests = course.relapse(treatment, measured)
    record = course.record(before, treatment, curve, measured, baselines, tests, why)
    cost = Cost(seconds=time.monotonic() - started)
    progress(1.0, "done")
    return Finished(record.model_copy(update={"cost": cost}), treatment)


def look_before(subject: LanguageSubject, behaviour: Behaviour, material: Material) -> Before:
    """The first act: the subject as it is.

    Raises:
        PlanError: the behaviour never shows: whatever were done, it would read as removed.
    """
    on = rate(subject, behaviour, behaviour.on)
    if not on.hits:
        raise PlanError(
            f"{behaviour.name} shows in none of {on.n} answers to held-out prompts, so there is nothing to treat.",
            "Check the model, the prompts, and how an answer is known to show it.",
        )
    return Before(on, rate(subject, behaviour, behaviour.off), read_state(subject, material))


@dataclass(frozen=True)
class _Course:
    """What stays the same from act to act."""

    subject: LanguageSubject
    behaviour: Behaviour
    reference: LanguageSubject | None
    plan: Plan

    def measure(self, treatment: Treatment, before: State | None, seconds: float) -> Measured:
        """A treatment on held-out prompts; with ``before`` the whole ledger."""
        asked, texts = spread(self.behaviour.learn, 6), TEXTS[: self.plan.guard.texts]
        untreated = read_distance(self.subject, texts, asked)
        with treated(self.subject, treatment):
            on = rate(self.subject, self.behaviour, self.behaviour.on)
            off = rate(self.subject, self.behaviour, self.behaviour.off)
            seen = read_distance(self.subject, texts, asked)
            after = read_state(self.subject, self.plan.material) if before else None
        return Measured(
            kind=treatment.kind,
            words=treatment.words(),
            dose=treatment.dose,
            on=on,
            off=off,
            kl=seen.kl(untreated),
            perplexity=seen.perplexity() / untreated.perplexity(),
            ledger=compare_states(before, after) if before and after else None,
            seconds=seconds,
        )

    def baselines(self, kl: float) -> tuple[Measured, ...]:
        """Each baseline at the distance that the treatment took; a system prompt and the reference have no dose."""
        found = []
        for kind in self.plan.baselines:
            started = time.monotonic()
            made = self._baseline(kind)
            if kind != "system-prompt":
                made = made.at(
                    dose_of_equal_kl(self.subject, made, kl, spread(self.behaviour.learn, 6), self.plan.guard)
                )
            found.append(self.measure(made, None, time.monotonic() - started))
        return (*found, *self._going_back()) if self.plan.baselines else ()

    def _going_back(self) -> tuple[Measured, ...]:
        """The reference in the subject's place: what a treatment that has one must be better than."""
        reference, asked, texts = self.reference, spread(self.behaviour.learn, 6), TEXTS[: self.plan.guard.texts]
        if reference is None or reference.unembedding.shape[0] != self.subject.unembedding.shape[0]:
            return ()
        untreated, seen = (read_distance(who, texts, asked) for who in (self.subject, reference))
        return (
            Measured(
                kind="reference",
                words="the reference in its place",
                dose=1.0,
                on=rate(reference, self.behaviour, self.behaviour.on),
                off=rate(reference, self.behaviour, self.behaviour.off),
                kl=seen.kl(untreated),
                perplexity=seen.perplexity() / untreated.perplexity(),
            ),
        )

    def _baseline(self, kind: str) -> Treatment:
        if kind != "random":
            made = candidates(kind, self.subject, self.behaviour, self.reference, self.plan.regimen)
            return next(iter(made.values()))
        site = f"resid_post.{self.subject.n_layers // 2}"
        norm = _RANDOM_NORM * self.subject.d_model**0.5
        return RandomDirection.of_norms({site: norm}, self.subject.d_model, self.plan.regimen.seed)

    def relapse(self, treatment: Treatment, measured: Measured) -> tuple[RelapseTest, ...]:
        """Every test, unless the plan leaves relapse out."""
        if self.plan.attack is None:
            return ()
        tests = Relapse(self.subject, self.behaviour, self.reference, self.plan.attack)
        tests.prepare()
        return tests.run(treatment, measured.on)

    def record(
        self,
        before: Before,
        treatment: Treatment,
        curve: DoseCurve,
        measured: Measured,
        baselines: tuple[Measured, ...],
        tests: tuple[RelapseTest, ...],
        notes: tuple[str, ...],
    ) -> TreatmentRecord:
        """The last act."""
        return TreatmentRecord(
            subject=self.subject.card,
            reference=self.reference.card if self.reference else None,
            behaviour=self.behaviour.name,
            kind=treatment.kind,
            words=treatment.words(),
            dose=treatment.dose,
            settings=treatment.settings(),
            sha256=treatment_hash(treatment),
            permanent=treatment.permanent,
            curve=curve.points,
            guard=self.plan.guard.perplexity,
            before_on=before.on,
            before_off=before.off,
            treated=measured,
            baselines=baselines,
            relapse=tests,
            fate=decide_fate(before.on, measured.on, tests, treatment.permanent),
            margin=MARGIN,
            notes=notes,
            command=self.plan.command,
            seed=self.plan.regimen.seed,
            versions=versions(),
        )


def _chosen(curve: DoseCurve, made: Mapping[str, Treatment]) -> tuple[Treatment, tuple[str, ...]]:
    """The chosen treatment; where the guard let none pass, the least harmful one, with a note that says so."""
    if curve.treatment is not None:
        return curve.treatment, ()
    if not curve.points:
        raise PlanError("There was no treatment to try.", "Choose another kind.")
    least = min(curve.points, key=lambda point: point.perplexity)
    note = "The damage guard let no dose pass; this is the one that did the least damage."
    return made[least.candidate].at(least.dose), (note,)
