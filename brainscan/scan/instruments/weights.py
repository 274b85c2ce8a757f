"""Weight delta: how far each matrix of the subject moved from the reference, and in how many directions.

Numbered acts: 1) match the tensors of both by name and shape, adapters counted in; 2) measure each
difference; 3) sum by layer and part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Evidence, Figure, Measurement, Status
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.pair import reference_of
from brainscan.subject.language import LanguageSubject

RELATIVE, CONCENTRATION, LAYERS = "weights.delta.relative", "weights.delta.concentration", "weights.delta.layers"
HONEST_NOTE = (
    "Every fine-tune moves weights, and every low-rank one moves them in few directions: these numbers say that the "
    "model was changed, not that the change is bad. They mean something only beside benign fine-tunes of the same recipe."
)
STRONGEST = 6


@dataclass(frozen=True, eq=False)
class Weight:
    """A tensor as the model uses it; made on demand, so that no second copy of the model is held."""

    parameter: torch.Tensor
    adapted: Any = None
    """The live LoRA layer around it, if there is one."""

    def value(self) -> torch.Tensor:
        """The weight with its active adapters counted in."""
        if self.adapted is None or self.adapted.merged or self.adapted.disable_adapters:
            return self.parameter
        live = [name for name in self.adapted.active_adapters if name in self.adapted.scaling]
        return sum((self.adapted.get_delta_weight(name) for name in live), self.parameter)


@dataclass(frozen=True)
class Delta:
    """One tensor of the subject against the reference's."""

    name: str
    layer: int | None
    part: str
    changed: float
    """Squared Frobenius norm of the difference."""
    whole: float
    """Squared Frobenius norm of the reference's tensor."""
    concentration: float | None
    """Share of ``changed`` in the top singular direction, 0..1; None for a vector or an unchanged matrix."""


class Weights:
    """Compares two sets of weights; runs neither model."""

    name = "weights"
    title = "Change of the weights against the reference"
    needs_reference = True
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """The same in every plan: it is exact and takes seconds."""
        return {"iterations": 6}

    def texts(self) -> tuple[str, ...]:
        """None: no text is read."""
        return ()

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """No token is read."""
        return Workload()

    def run(self, examination: Examination) -> Report:
        """Compare.

        Raises:
            PlanError: no reference, or no tensor of the two fits the other.
        """
        subject, reference = examination.subject, reference_of(examination)
        ours, theirs = effective_weights(subject), effective_weights(reference)
        names = matched(ours.tensors, theirs.tensors)
        if not names:
            raise PlanError(
                f"No weight of {subject.card.name} has the name and shape of one of {reference.card.name}.",
                "Give the reference that the subject was fine-tuned from.",
            )
        seed = int(examination.rng("svd").integers(2**31))
        deltas = []
        for done, name in enumerate(names):
            layer, part = place(subject, name)
            pair = ours.tensors[name].value(), theirs.tensors[name].value()
            deltas.append(_delta(name, layer, part, *pair, int(examination.step.settings["iterations"]), seed))
            examination.progress((done + 1) / len(names), f"{done + 1} of {len(names)} tensors")
        left_out = len(ours.tensors.keys() | theirs.tensors.keys()) - len(names)
        return _report(deltas, subject.n_layers, left_out, (*ours.notes, *theirs.notes))


# --- 1. matching ------------------------------------------------------------------------------


@dataclass(frozen=True)
class EffectiveWeights:
    """All tensors of a model under the names that they have without adapters."""

    tensors: Mapping[str, Weight]
    notes: tuple[str, ...] = ()


def effective_weights(subject: LanguageSubject) -> EffectiveWeights:
    """Every weight, live LoRA adapters counted in; what cannot be computed is left out and noted."""
    model = subject.model
    layers = {n: m for n, m in model.named_modules() if hasattr(m, "base_layer") and hasattr(m, "get_delta_weight")}
    tensors: dict[str, Weight] = {}
    notes = []
    for name, parameter in model.named_parameters():
        if "lora_" in name or ".original_module." in name:
            continue
        owner = next((n for n in layers if name == f"{n}.base_layer.weight"), None)
        if owner is not None and any(getattr(layers[owner], "use_dora", {}).values()):
            notes.append(f"{owner} carries a DoRA adapter, whose effective weight is not computed here.")
            continue
        tensors[_plain(name)] = Weight(parameter, layers[owner] if owner else None)
    return EffectiveWeights(tensors, tuple(notes))


def _plain(name: str) -> str:
    return re.sub(r"\.(?:base_layer|modules_to_save\.[^.]+)\.", ".", name.removeprefix("base_model.model."))


def matched(ours: Mapping[str, Weight], theirs: Mapping[str, Weight]) -> list[str]:
    """Names that both have with one shape, in the subject's order."""
    return [name for name in ours if name in theirs and ours[name].parameter.shape == theirs[name].parameter.shape]


def place(subject: LanguageSubject, name: str) -> tuple[int | None, str]:
    """Layer of a tensor (None outside the blocks) and its part: attention, MLP, norm, embedding or head."""
    family = subject.family
    if found := re.match(rf"{re.escape(f'{family.body}.{family.layers}.')}(\d+)\.([^.]+)", name):
        ports = {point: port.partition(":")[0].partition(".")[0] for point, port in family.ports.items()}
        if found[2] == ports.get("head_out"):
            return int(found[1]), "attention"
        mlp = found[2] in (ports.get("mlp_in"), ports.get("mlp_act"))
        return int(found[1]), "MLP" if mlp else "norm"
    if name.startswith(f"{family.body}.{family.embed}."):
        return None, "embedding"
    return None, "norm" if name.startswith(f"{family.body}.") else "head"


# --- 2. measuring -----------------------------------------------------------------------------


def _delta(
    name: str,
    layer: int | None,
    part: str,
    ours: torch.Tensor,
    theirs: torch.Tensor,
    iterations: int,
    seed: int,
) -> Delta:
    base = theirs.detach().float()
    change = ours.detach().float().to(base.device) - base
    changed, whole = _squared(change), _squared(base)
    share = top_share(change, iterations, seed) if change.dim() == 2 and changed > 0 else None
    return Delta(name, layer, part, changed, whole, share)


def _squared(tensor: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64)) ** 2


def top_share(matrix: torch.Tensor, iterations: int, seed: int) -> float:
    """Share of the squared norm in the top singular direction: 1 for rank one, 1/rank if all are equal.

    Randomised subspace iteration with four vectors (Halko, Martinsson, Tropp 2011, algorithm 4.4).
    """
    width = min(4, *matrix.shape)
    basis = torch.randn(matrix.shape[1], width, generator=torch.Generator().manual_seed(seed)).to(matrix.device)
    for _ in range(iterations):
        basis = torch.linalg.qr(matrix.T @ torch.linalg.qr(matrix @ basis).Q).Q
    top = float(torch.linalg.matrix_norm(matrix @ basis, 2))
    return min(1.0, top**2 / _squared(matrix))


# --- 3. summing up ----------------------------------------------------------------------------


def _relative(deltas: Iterable[Delta]) -> float:
    deltas = list(deltas)
    whole = sum(d.whole for d in deltas)
    return float(np.sqrt(sum(d.changed for d in deltas) / whole)) if whole else 0.0


def _report(deltas: list[Delta], n_layers: int, left_out: int, notes: tuple[str, ...]) -> Report:
    profile = np.array([_relative(d for d in deltas if d.layer == layer) for layer in range(n_layers)])
    if left_out:
        notes = (*notes, f"{left_out} tensors have no partner of the same name and shape and are left out.")
    return Report(
        measurements=_measurements(deltas, profile),
        evidence=(*_part_evidence(deltas), *_matrix_evidence(deltas)),
        figures=(
            Figure(
                kind="layer-profile",
                title="How far each layer's weights moved",
                caption="Norm of the change over norm of the reference's weights, all tensors of a layer together.",
                measurement=LAYERS,
                array="weights.delta.layers",
                layers=tuple(range(n_layers)),
                unit="relative",
            ),
        ),
        arrays={"weights.delta.layers": profile},
        notes=(HONEST_NOTE, *notes),
    )


def _measurements(deltas: list[Delta], profile: np.ndarray) -> tuple[Measurement, ...]:
    shares = [d.concentration for d in deltas if d.concentration is not None]
    return (
        Measurement(
            name=RELATIVE,
            value=_relative(deltas),
            unit="relative",
            n=0,
            meaning="Norm of the weight change over the norm of the reference's weights: 0 is the same model, "
            "a light fine-tune stays under 0.05.",
        ),
        Measurement(
            name=CONCENTRATION,
            value=float(np.mean(shares)) if shares else 0.0,
            unit="share",
            n=0,
            higher_is="neither",
            meaning=f"Share of each changed matrix's change in one direction, averaged over {len(shares)} matrices: "
            "1 is a rank-one edit, near 0 a change in all directions, exactly 0 no change.",
        ),
        Measurement(
            name=LAYERS,
            value=float(profile.max(initial=0.0)),
            unit="relative",
            n=0,
            meaning=f"Relative change of the layer that moved most (layer {int(profile.argmax())})."
            if profile.any()
            else "Relative change of the layer that moved most; here none moved.",
        ),
    )


def _part_evidence(deltas: list[Delta]) -> list[Evidence]:
    total = sum(d.changed for d in deltas)
    pieces = []
    for part in dict.fromkeys(d.part for d in deltas):
        mine = [d for d in deltas if d.part == part]
        moved = [d for d in mine if d.changed > 0]
        if not moved:
            continue
        share = sum(d.changed for d in mine) / total
        pieces.append(
            Evidence(
                kind="weight-change",
                summary=f"{len(moved)} of {len(mine)} {part} tensors changed, by {_relative(mine):.2%} of their norm; "
                f"they hold {share:.0%} of the whole change.",
                measurement=RELATIVE,
                strength=1 + share,  # parts come before single matrices
                status=Status.MEASURED,
            )
        )
    return sorted(pieces, key=lambda piece: -piece.strength)


def _matrix_evidence(deltas: list[Delta]) -> list[Evidence]:
    changed = sorted((d for d in deltas if d.changed > 0), key=lambda d: -_relative([d]))
    return [
        Evidence(
            kind="weight-change",
            summary=f"{d.name} changed by {_relative([d]):.2%} of its norm"
            + ("." if d.concentration is None else f", {d.concentration:.0%} of it in one direction."),
            measurement=LAYERS if d.layer is not None else RELATIVE,
            strength=min(1.0, _relative([d])),
            status=Status.MEASURED,
        )
        for d in changed[:STRONGEST]
    ]


INSTRUMENT = Weights()
