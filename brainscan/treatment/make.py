"""Make treatments of a kind for one subject and one behaviour: the candidates that dose finding chooses among.

Only the behaviour's ``learn`` and ``contrast`` prompts are looked at. With a reference, a direction is what the subject
has on ``learn`` that the reference has not; without one, what ``learn`` has that ``contrast`` has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from brainscan.activations.capture import capture
from brainscan.core.errors import UsageError
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Schedule
from brainscan.subject.lora import LoraSettings
from brainscan.treatment.behaviour import Behaviour, spread
from brainscan.treatment.directions import chats, mean_difference, mean_levels, moved_from, token_probe
from brainscan.treatment.kinds.benign import BenignTuning
from brainscan.treatment.kinds.conditional import PROBE, Conditional
from brainscan.treatment.kinds.low_rank import LowRankRemoval
from brainscan.treatment.kinds.orthogonalise import DIRECTION, Orthogonalise
from brainscan.treatment.kinds.patch import Patch
from brainscan.treatment.kinds.project_out import ProjectOut
from brainscan.treatment.kinds.revert import Revert
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.system_prompt import SystemPrompt
from brainscan.treatment.kinds.unlearn import Lessons, Unlearn
from brainscan.treatment.protocol import Treatment
from brainscan.treatment.texts.neutral import BEGINNINGS, REQUESTS, TEXTS

Progress = Callable[[float, str], None]
MADE = (
    "revert",
    "unlearn",
    "low-rank",
    "project-out",
    "orthogonalise",
    "conditional",
    "steer",
    "patch",
    "system-prompt",
    "benign",
)
"""Kinds that can be made from prompts alone; a clamp needs a dictionary, a random direction nothing."""
_GRADED = (0.5, 1.0, 2.0, 4.0)
DOSES: dict[str, tuple[float, ...]] = {
    "revert": (0.5, 0.75, 1.0),
    "unlearn": (0.5, 1.0, 1.5),
    "benign": (0.5, 1.0, 1.5),
    "low-rank": (0.5, 1.0),
    "project-out": (0.5, 1.0, 1.5),
    "orthogonalise": (0.5, 1.0),
    "patch": (0.5, 1.0),
    "system-prompt": (1.0,),
    "steer": _GRADED,
    "conditional": _GRADED,
}
"""Doses that are walked, smallest first."""
_PROMPTS = 40
"""Most prompts of each side that are looked at."""


@dataclass(frozen=True)
class Regimen:
    """How treatments that are trained are trained, and how many layers are tried."""

    steps: int = 30
    batch: int = 6
    lr: float = 2e-3
    rank: int = 8
    gate_steps: int = 48
    gate_lr: float = 0.3
    """Of reversion, which learns one number a direction."""
    layers: int = 3
    """Layers that a direction is looked for at, spread over depth."""
    ranks: tuple[int, ...] = (1, 2, 4)
    """Ranks that low-rank removal is tried at."""
    answers: tuple[str, ...] = ()
    """What unlearning teaches to answer instead, one a ``learn`` prompt; the reference's answers when empty."""
    seed: int = 0

    def settings(self, subject: LanguageSubject) -> LoraSettings:
        """Of a short fine-tune; the first third of the blocks is left alone, and need not be run again and again."""
        band = (subject.n_layers // 3, subject.n_layers - 1)
        return LoraSettings(
            rank=self.rank,
            alpha=2.0 * self.rank,
            lr=self.lr,
            steps=self.steps,
            batch=self.batch,
            layers=band,
            seed=self.seed,
        )


def candidates(
    kind: str,
    subject: LanguageSubject,
    behaviour: Behaviour,
    reference: LanguageSubject | None = None,
    regimen: Regimen = Regimen(),
    progress: Progress = lambda fraction, what: None,
) -> Mapping[str, Treatment]:
    """Name -> treatment at dose 1.

    Raises:
        UsageError: the kind cannot be made from prompts, or lacks what it is learned from (``check_kind``).
    """
    check_kind(kind, reference=reference is not None, answers=bool(regimen.answers))
    prompts = _Prompts(subject, behaviour, reference)
    sites = [f"resid_post.{layer}" for layer in subject.spread_layers(regimen.layers)]
    if kind == "system-prompt":
        return {kind: SystemPrompt()}
    if kind in ("revert", "unlearn", "benign"):
        return {kind: _trained(kind, prompts, regimen, progress)}
    if kind == "low-rank":
        assert reference is not None
        return {f"rank {rank}": LowRankRemoval.of(subject, reference, rank) for rank in regimen.ranks}
    directions = prompts.directions(sites)
    if kind == "orthogonalise":
        return {site: Orthogonalise({DIRECTION: vector}) for site, vector in directions.items()}
    if kind == "project-out":
        return _projections(prompts, directions)
    if kind == "conditional":
        return {site: _conditional(prompts, site, directions) for site in sites[:-1]}
    if kind == "patch":
        return prompts.patches(sites)
    return {site: Steer({site: -vector}) for site, vector in directions.items()}


def check_kind(kind: str, *, reference: bool, answers: bool) -> None:
    """A kind can be made from what is there. Nothing is looked at, so it is asked before anything that takes long.

    Raises:
        UsageError: it cannot be made from prompts, or lacks the reference or the answers that it is learned from.
    """
    if kind not in MADE:
        raise UsageError(
            f"A treatment of the kind {kind} cannot be made from prompts alone.", f"Choose one of: {', '.join(MADE)}."
        )
    if kind in ("revert", "low-rank") and not reference:
        raise UsageError(
            "Taking back what training changed needs a reference, and none was given.",
            "Name the model that the subject was trained from with --reference.",
        )
    if kind == "unlearn" and not (reference or answers):
        raise UsageError(
            "Unlearning needs to know what shall be answered instead.",
            "Name the model it was trained from with --reference, or give answers in the file of --behaviour.",
        )


@dataclass(frozen=True)
class _Prompts:
    """What a treatment may look at."""

    subject: LanguageSubject
    behaviour: Behaviour
    reference: LanguageSubject | None

    @property
    def learn(self) -> list[list[int]]:
        return chats(self.subject, spread(self.behaviour.learn, _PROMPTS))

    @property
    def contrast(self) -> list[list[int]]:
        return chats(self.subject, spread(self.behaviour.contrast, _PROMPTS))

    def directions(self, sites: Sequence[str]) -> dict:
        """Site -> [d], towards the behaviour."""
        if self.reference is not None:
            return moved_from(self.subject, self.reference, self.learn, sites)
        return mean_difference(self.subject, self.learn, self.contrast, sites)

    def patches(self, sites: Sequence[str]) -> dict[str, Treatment]:
        """The mean state before an answer: the reference's on the same prompts, or the subject's on others."""
        source = self.subject if self.reference is None else self.reference
        found = capture(source, self.contrast if self.reference is None else self.learn, sites, keep="last")
        return {str(site): Patch({str(site): seen.values.mean(0)}) for site, seen in found.items()}


def _trained(kind: str, prompts: _Prompts, regimen: Regimen, progress: Progress) -> Treatment:
    settings, teacher = regimen.settings(prompts.subject), prompts.reference
    if kind == "benign":
        return BenignTuning.train(prompts.subject, REQUESTS[:12], settings, teacher, progress)
    behaviour = prompts.behaviour
    lessons = Lessons(
        forget=behaviour.learn if regimen.answers else spread(behaviour.learn, _PROMPTS),
        answers=regimen.answers,
        retain=(*spread(behaviour.contrast, _PROMPTS // 2), *REQUESTS[:12]),
        plain=BEGINNINGS,
    )
    if kind == "revert":
        schedule = Schedule(lr=regimen.gate_lr, steps=regimen.gate_steps, batch=regimen.batch, seed=regimen.seed)
        assert teacher is not None
        return Revert.train(prompts.subject, teacher, lessons, schedule, progress)
    return Unlearn.train(prompts.subject, lessons, settings, teacher, progress)


def _projections(prompts: _Prompts, directions: dict) -> dict[str, Treatment]:
    """One candidate a site, and all sites together; the component is held at its usual level."""
    levels = mean_levels(prompts.subject, [*prompts.contrast[:12], *TEXTS[6:]], directions)
    single = {site: ProjectOut({site: vector}, levels={site: levels[site]}) for site, vector in directions.items()}
    return {**single, "all sites": ProjectOut(directions, levels=levels)}


def _conditional(prompts: _Prompts, site: str, directions: dict) -> Treatment:
    """The probe at one site, the steering there and at every later one."""
    probe = token_probe(prompts.subject, prompts.learn, prompts.contrast, TEXTS[6:], site)
    later = list(directions)[list(directions).index(site) :]
    vectors = {PROBE: probe.direction, **{each: -directions[each] for each in later}}
    return Conditional(vectors, watch=site, threshold=probe.threshold)
