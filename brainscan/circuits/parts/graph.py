"""The record of a circuit of parts: a channel, the units that build it, their weights, layout and tests. No torch."""

from __future__ import annotations

from typing import Literal

from brainscan.core.evidence import Finite, Interval, Record, Status


class Part(Record):
    """One unit below the target."""

    channel: str
    """For example "channel.37/1129"."""
    path: str
    kind: Literal["exact", "through"]
    """exact: a linear path from here to the target. through: over non-linear parts, by integrated gradients."""
    weight: Finite
    """exact: sum over offsets of the weights from this unit to the target. through: mean derivative along the way."""
    kernel: tuple[tuple[Finite, ...], ...]
    """exact: weights by offset in the source's map, rows from above to below; empty for "through"."""
    lift: Finite
    """What it adds to the target's mean on the label's images, more than on the others, in the target's unit."""
    share: Finite
    """``lift`` as a share of all positive lift, 0 to 1."""
    where: tuple[tuple[Finite, ...], ...]
    """Its contribution to the target by place of the map, mean over the label's images."""
    row: Finite
    """Centre of ``where``, 0 at the top edge and 1 at the bottom edge of the picture."""
    column: Finite
    """The same, 0 left and 1 right."""
    selectivity: Finite
    """Held-out AUROC of this unit alone for the label."""


class Removal(Record):
    """What was found when parts were set to 0."""

    before: Finite
    """Mean over places and held-out images of the channel that the parts build, after its non-linearity."""
    after: Finite
    n: int
    """Held-out images of the label."""
    parts: int
    lowered: Finite
    """Share by which it fell, 0 to 1."""
    interval: Interval
    """Of ``lowered``, jackknife t over images."""
    control: tuple[Finite, ...]
    """The same share for as many random units of the same layers, one number a draw."""
    class_before: Finite
    """Mean probability of the classes that these images get most, before."""
    class_after: Finite
    """The same without the parts: about equal where the network is redundant."""
    class_without_target: Finite
    """The same with the target itself set to 0."""

    @property
    def status(self) -> Status:
        """Validated when the parts lower the target beyond every random draw, else attributed."""
        beyond = self.control and self.interval.lo > max(self.control)
        return Status.VALIDATED if beyond else Status.ATTRIBUTED


class Exactness(Record):
    """Whether the weights are what an edit does."""

    edits: int
    largest_error: Finite
    """Largest difference of predicted and measured change of the target, over the largest change measured."""
    deviation: Finite
    """Largest difference of the derivative between two images, over its largest value; 0 where the path is linear."""


class PartsCircuit(Record):
    """A channel and the parts that build it."""

    schema_: Literal["brainscan.parts/1"] = "brainscan.parts/1"
    subject: str
    subject_sha256: str
    target: str
    path: str
    filtered_from: str = ""
    """The channel that the target is a filtered copy of, whose inputs are the parts; empty for the target itself."""
    label: str
    classes: tuple[str, ...]
    """Classes that the label's images get most."""
    layers: tuple[str, ...]
    """Sites from which a linear path leads to the target."""
    parts: tuple[Part, ...]
    """Largest lift first."""
    covered: Finite
    """Share of all positive lift that these parts carry."""
    exactness: Exactness
    removal: Removal | None
    """Of the channel that the parts build: ``filtered_from`` where there is one, else the target."""
    copy_lowered: Finite | None = None
    """Share by which the target itself fell, where it is a filtered copy."""
    below: tuple[Part, ...] = ()
    """For the strongest part, what builds it in turn: parts of a part."""
    below_of: str = ""
    seed: int = 0
