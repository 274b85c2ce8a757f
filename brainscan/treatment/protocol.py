"""The promise of a kind of treatment, and what all kinds share: how one is written down and read again.

A treatment is a plain frozen record: its arrays, its settings and a dose. What it does to a subject it says as
``Changes``; only ``treated`` carries them out, so that no kind can forget to undo itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch

from brainscan.core.errors import RecordError
from brainscan.core.registry import Registry
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject

Tensors = Mapping[str, torch.Tensor]
ARRAYS = "vectors"


@dataclass(frozen=True)
class Changes:
    """What a treatment does to one subject while it is in force."""

    edits: tuple[Edit, ...] = ()
    """Act on every run of the subject, generation and training included."""
    weights: Tensors = field(default_factory=dict)
    """Name of a parameter -> what it becomes, of the same shape."""
    system: str | None = None
    """Stands before every chat."""


@runtime_checkable
class Treatment(Protocol):
    """One treatment at one dose."""

    kind: ClassVar[str]
    """Its name in the registry."""
    permanent: ClassVar[bool]
    """Whether it can be written into weights; one that cannot only holds a behaviour down."""

    @property
    def dose(self) -> float:
        """How much: 0 changes nothing, 1 is as it was made."""
        ...

    def at(self, dose: float) -> Self:
        """The same treatment at another dose."""
        ...

    def changes(self, subject: LanguageSubject) -> Changes:
        """What it does to this subject.

        Raises:
            UsageError: it was made for a subject of another shape.
            SiteUnavailable: the subject lacks a place that it acts at.
        """
        ...

    def words(self) -> str:
        """What it does, in one phrase for a report."""
        ...

    def settings(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        ...

    def tensors(self) -> Tensors:
        """The arrays."""
        ...

    @classmethod
    def load(cls, settings: Mapping[str, Any], tensors: Tensors) -> Self:
        """The treatment that gave these settings and arrays."""
        ...


@dataclass(frozen=True, eq=False)
class Kind:
    """What the kinds share: arrays in ``vectors``, all other fields JSON values."""

    vectors: Tensors = field(default_factory=dict)
    """Site or parameter -> array."""
    dose: float = 1.0

    def at(self, dose: float) -> Self:
        """The same treatment at another dose."""
        return replace(self, dose=dose)

    def settings(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != ARRAYS}

    def tensors(self) -> Tensors:
        """The arrays."""
        return dict(self.vectors)

    @classmethod
    def load(cls, settings: Mapping[str, Any], tensors: Tensors) -> Self:
        """The treatment that gave these settings and arrays.

        Raises:
            RecordError: a setting has no place in this kind.
        """
        known = {part.name for part in fields(cls)} - {ARRAYS}
        if odd := sorted(set(settings) - known):
            raise RecordError(f"A treatment of this kind has no setting {odd[0]!r}.", "Make the treatment again.")
        return cls(vectors=dict(tensors), **settings)


KINDS: Registry[type[Any]] = Registry(
    "a kind of treatment",
    "brainscan.treatments",
    {
        "steer": "brainscan.treatment.kinds.steer:Steer",
        "project-out": "brainscan.treatment.kinds.project_out:ProjectOut",
        "clamp": "brainscan.treatment.kinds.clamp:Clamp",
        "patch": "brainscan.treatment.kinds.patch:Patch",
        "conditional": "brainscan.treatment.kinds.conditional:Conditional",
        "orthogonalise": "brainscan.treatment.kinds.orthogonalise:Orthogonalise",
        "low-rank": "brainscan.treatment.kinds.low_rank:LowRankRemoval",
        "revert": "brainscan.treatment.kinds.revert:Revert",
        "unlearn": "brainscan.treatment.kinds.unlearn:Unlearn",
        "system-prompt": "brainscan.treatment.kinds.system_prompt:SystemPrompt",
        "benign": "brainscan.treatment.kinds.benign:BenignTuning",
        "random": "brainscan.treatment.kinds.random_direction:RandomDirection",
    },
)
"""Every kind: the treatments, then the baselines."""
BASELINES = ("system-prompt", "benign", "random")
