"""What a rule is shown in one pass, and the protocol of the readers, one kind of rule a file in ``kinds``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from brainscan.core.address import Site
from brainscan.core.registry import Registry
from brainscan.monitor.record import Arrays, Rule


@dataclass(frozen=True)
class Seen:
    """The tokens of one pass, with everything that was captured on the way."""

    activations: Mapping[Site, torch.Tensor]  # [batch, pos, d] each
    positions: torch.Tensor  # [batch, pos] index in the row, -1 for padding
    prompt_lengths: torch.Tensor  # [batch]
    entropies: Sequence[Sequence[float]] = field(default=())
    """Of each row: entropy in nats of the distribution behind each token of its answer that was pushed so far."""
    texts: Sequence[str] = field(default=())
    """Of each row: prompt and answer so far, for rules about words."""


class Reader(Protocol):
    """Scores tokens for one rule. Built from the rule and its arrays (names without the rule's own)."""

    def __init__(self, rule: Rule, arrays: Arrays) -> None: ...

    def score(self, seen: Seen) -> torch.Tensor:
        """Score of each token [batch, pos], higher is more alarming; -inf where there is nothing to score yet."""
        ...


KINDS: Registry[type[Reader]] = Registry(
    "a kind of rule",
    "brainscan.monitor.kinds",
    {
        "probe": "brainscan.monitor.kinds.probe:Probe",
        "distance": "brainscan.monitor.kinds.distance:Distance",
        "certainty": "brainscan.monitor.kinds.certainty:Certainty",
        "feature": "brainscan.monitor.kinds.feature:Feature",
        "phrase": "brainscan.monitor.kinds.phrase:Phrase",
    },
)
"""Kinds of rules by name; a plugin adds its own through the entry point group ``brainscan.monitor.kinds``."""


def reader_of(rule: Rule, arrays: Arrays) -> Reader:
    """The reader of a rule, given the arrays of the whole monitor.

    Raises:
        PlanError: there is no such kind.
    """
    return KINDS.get(rule.kind)(rule, arrays_of(rule.name, arrays))


def arrays_of(name: str, arrays: Arrays) -> Arrays:
    """The arrays of one rule, under their short names."""
    return {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}


def stacked(seen: Seen, sites: Sequence[Site]) -> torch.Tensor:
    """The activations of several sites of one width [batch, pos, site, d], float32."""
    return torch.stack([seen.activations[site].float() for site in sites], 2)
