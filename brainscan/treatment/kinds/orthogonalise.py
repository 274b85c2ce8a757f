"""Orthogonalise: take a direction out of everything that attention and MLP write into the stream, in the weights.

Source: weight orthogonalisation, Arditi et al. 2024 (2406.11717), section 4.1: the same as projecting the direction
out of those blocks' outputs, without an edit at run time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from brainscan.core.errors import SiteUnavailable, UsageError
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind

DIRECTION = "direction"


@dataclass(frozen=True, eq=False)
class Orthogonalise(Kind):
    """``W - dose * u u^T W`` for the output matrices of some blocks; ``vectors["direction"]`` is u, any norm but 0."""

    kind: ClassVar[str] = "orthogonalise"
    permanent: ClassVar[bool] = True

    layers: tuple[int, ...] = ()
    """Blocks that no longer write along the direction; all when empty."""

    def changes(self, subject: LanguageSubject) -> Changes:
        """The changed matrices and biases.

        Raises:
            UsageError: no direction, or one of another width than the subject's stream.
            SiteUnavailable: the family does not say which matrices write.
        """
        vector = self.vectors.get(DIRECTION)
        if vector is None or vector.shape != (subject.d_model,) or not bool(vector.norm() > 0):
            raise UsageError(
                "Orthogonalising needs one direction as wide as the stream.", f"Give it as the array {DIRECTION!r}."
            )
        unit = (vector / vector.norm()).to(subject.device)
        if not self.dose:
            return Changes()
        layers = self.layers or range(subject.n_layers)
        return Changes(
            weights={
                name: weight - self.dose * _along(weight, unit.to(weight.dtype), rows)
                for layer in layers
                for name, weight, rows in writers(subject, layer)
            }
        )

    def words(self) -> str:
        """What it does."""
        blocks = f"{len(self.layers)} blocks" if self.layers else "all blocks"
        return f"{self.dose:.3g} of a direction taken out of what {blocks} write"


def writers(subject: LanguageSubject, layer: int) -> Iterator[tuple[str, torch.Tensor, bool]]:
    """The parameters of one block that write into the stream: name, value, and whether its first axis is the stream."""
    names = {id(parameter): name for name, parameter in subject.model.named_parameters()}
    for point in ("head_out", "mlp_act"):
        port = subject.port(f"{point}.{layer}")
        if port.side != "in":
            raise SiteUnavailable(
                f"The family {subject.family.name} does not name the matrix behind {point}.",
                "Project the direction out at run time instead.",
            )
        for part in ("weight", "bias"):
            parameter = getattr(port.module, part, None)
            if parameter is not None:
                yield (
                    names[id(parameter)],
                    parameter.detach(),
                    part == "bias" or isinstance(port.module, torch.nn.Linear),
                )


def _along(weight: torch.Tensor, unit: torch.Tensor, rows: bool) -> torch.Tensor:
    """The part of what the parameter writes that lies along ``unit``; ``rows``: its first axis is the stream."""
    if weight.dim() == 1:
        return unit * (unit @ weight)
    return torch.outer(unit, unit @ weight) if rows else torch.outer(weight @ unit, unit)
