"""Build the circuit of a channel: weights, contributions on real images, layout, tests.

1. weights   exact, from every site with a linear path; where there is none, integrated gradients from the nearest one
2. lift      weight times activation on the label's images, less the same on others; the strongest are the parts
3. layout    where in the picture each part contributes
4. exactness predicted against measured effects of edits
5. removal   the parts set to 0 on images that did not choose them, against random units
6. below     what builds the strongest part in turn
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from brainscan.circuits.parts.graph import Exactness, Part, PartsCircuit
from brainscan.circuits.parts.remove import remove
from brainscan.circuits.parts.through import attribute_through
from brainscan.circuits.parts.weights import (
    Straight,
    activations,
    held_sites,
    kernel_of,
    measured_effect,
    virtual_weights,
)
from brainscan.core.address import Site
from brainscan.core.errors import InputError
from brainscan.core.statistics import auroc
from brainscan.features.channels.pictures import prepared, reopen
from brainscan.features.channels.selectivity import Halves, split_halves, told_apart
from brainscan.features.channels.survey import framing_of
from brainscan.features.channels.table import ChannelTable
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.subject import Channel, VisionSubject

PARTS, BELOW = 12, 6
_OTHERS, _MOST, _EDITS, _LEAST, _DEPTHWISE = 24, 24, 12, 2, 3


@dataclass(frozen=True)
class _Stock:
    """Prepared images: the label's of the picking half, others of the same half, the label's of the scoring half."""

    mine: torch.Tensor
    others: torch.Tensor
    held: torch.Tensor


@dataclass(frozen=True)
class _Source:
    """What every unit of one site adds to the target."""

    site: Site
    kind: str
    lift: torch.Tensor  # [channel]
    where: torch.Tensor  # [pos, channel] mean contribution over the label's images
    weight: torch.Tensor  # [channel]
    straight: Straight | None


def build_circuit(
    subject: VisionSubject,
    table: ChannelTable,
    target: Channel,
    label: str,
    *,
    folder: Path | None = None,
    count: int = PARTS,
    seed: int = 0,
    progress: Progress = silent,
) -> PartsCircuit:
    """The circuit of parts of a channel for the images of a label.

    Raises:
        InputError: the label has fewer than two images in a half of the survey.
    """
    halves = split_halves(table, seed)
    stock = _stock(subject, table, label, halves, folder, seed)
    progress(0.1, "weights into the channel")
    reached = filtered_from(subject, target)
    sources = _sources(subject, reached, stock)
    parts, covered = _parts(subject, table, sources, label, halves, count)
    progress(0.4, "predicted against measured edits")
    exactness = _exactness(subject, reached, stock, sources, seed)
    progress(0.6, "removing the parts")
    channels = [subject.channel(part.channel) for part in parts]
    removal = remove(subject, stock.held, reached, channels, seed=seed) if parts else None
    copy = remove(subject, stock.held, target, channels, draws=0) if parts and reached != target else None
    progress(0.85, "parts of the strongest part")
    below = _below(subject, table, channels, stock, label, halves)
    logits = subject.logits(stock.held)
    progress(1.0, "done")
    return PartsCircuit(
        subject=subject.card.name,
        subject_sha256=subject.card.weights_sha256,
        target=str(target),
        filtered_from="" if reached == target else str(reached),
        path=subject.describe(target.site),
        label=label,
        classes=tuple(dict.fromkeys(subject.class_name(int(i)) for i in logits.argmax(1))),
        layers=tuple(str(source.site) for source in sources if source.straight),
        parts=parts,
        covered=covered,
        exactness=exactness,
        removal=removal,
        copy_lowered=copy.lowered if copy else None,
        below=below,
        below_of=parts[0].channel if below else "",
        seed=seed,
    )


def _stock(
    subject: VisionSubject, table: ChannelTable, label: str, halves: Halves, folder: Path | None, seed: int
) -> _Stock:
    truth = table.labels == label
    rows = [np.flatnonzero(half & truth)[:_MOST] for half in (halves.pick, halves.score)]
    if min(map(len, rows)) < _LEAST:
        raise InputError(
            f"{label!r} has {sum(map(len, rows))} labelled images in this survey, too few to choose parts and to test them.",
            "Give at least four images of the label.",
        )
    if not told_apart(table, label, halves):
        raise InputError(
            f"The labelled images of this survey are almost all {label!r}, so nothing tells it apart.",
            "Give at least two images of another label.",
        )
    free = np.flatnonzero(halves.pick & ~truth)
    others = np.random.default_rng(seed).choice(free, min(_OTHERS, len(free)), replace=False)
    return _Stock(
        *(
            prepared(subject, reopen(table, list(map(int, some)), framing_of(subject), folder))
            for some in (rows[0], np.sort(others), rows[1])
        )
    )


def _sources(subject: VisionSubject, target: Channel, stock: _Stock) -> list[_Source]:
    straights = virtual_weights(subject, target)
    sites = tuple(straight.site for straight in straights)
    if not sites:
        nearest = held_sites(subject, target)[-1:]
        return [_through(subject, target, stock, site) for site in nearest]
    mine, others = activations(subject, stock.mine, sites), activations(subject, stock.others, sites)
    found = []
    for straight in straights:
        where = straight.mean * mine[straight.site].mean(0)  # [pos, channel]
        elsewhere = straight.mean * others[straight.site].mean(0)
        found.append(_Source(straight.site, "exact", (where - elsewhere).sum(0), where, straight.total, straight))
    return found


def _through(subject: VisionSubject, target: Channel, stock: _Stock, site: Site) -> _Source:
    found = attribute_through(subject, stock.mine, stock.others, target, site)
    where = found.contribution.mean(0)
    return _Source(site, "through", where.sum(0), where, found.slope, None)


def _parts(
    subject: VisionSubject, table: ChannelTable, sources: Sequence[_Source], label: str, halves: Halves, count: int
) -> tuple[tuple[Part, ...], float]:
    rows = [(float(lift), source, unit) for source in sources for unit, lift in enumerate(source.lift.tolist())]
    total = sum(max(lift, 0.0) for lift, _, _ in rows) or 1.0
    best = [row for row in sorted(rows, key=lambda row: -row[0])[:count] if row[0] > 0]
    parts = tuple(_part(subject, table, source, unit, lift / total, label, halves) for lift, source, unit in best)
    return parts, sum(lift for lift, _, _ in best) / total


def _part(
    subject: VisionSubject, table: ChannelTable, source: _Source, unit: int, share: float, label: str, halves: Halves
) -> Part:
    grid = subject.layers[source.site.layer or 0].grid or (1, source.where.shape[0])
    where = source.where[:, unit].reshape(grid)
    row, column = _centre(where)
    kernel = kernel_of(subject, source.straight, unit).tolist() if source.straight else []
    return Part(
        channel=f"{source.site}/{unit}",
        path=subject.describe(source.site),
        kind="exact" if source.straight else "through",
        weight=float(source.weight[unit]),
        kernel=tuple(tuple(map(float, line)) for line in kernel),
        lift=float(source.lift[unit]),
        share=share,
        where=tuple(tuple(map(float, line)) for line in where.tolist()),
        row=row,
        column=column,
        selectivity=_selectivity(table, f"{source.site}", unit, label, halves),
    )


def _centre(where: torch.Tensor) -> tuple[float, float]:
    """Centre of the positive contributions, 0..1 down and across; the middle where there are none."""
    mass = where.clamp(min=0)
    total = float(mass.sum())
    if total <= 0:
        return 0.5, 0.5
    rows, columns = mass.sum(1) / total, mass.sum(0) / total

    def mean(share: torch.Tensor) -> float:
        return float((share * (torch.arange(len(share), device=share.device) + 0.5)).sum() / len(share))

    return mean(rows), mean(columns)


def _selectivity(table: ChannelTable, site: str, unit: int, label: str, halves: Halves) -> float:
    values, truth = np.asarray(table.means[:, table.column(site, unit)]), table.labels == label
    return auroc(values[halves.score & truth], values[halves.score & ~truth])


def _exactness(
    subject: VisionSubject, target: Channel, stock: _Stock, sources: Sequence[_Source], seed: int
) -> Exactness:
    """Random changes of several units at once, at every exact site, on a real image."""
    straights = [source.straight for source in sources if source.straight]
    generator = torch.Generator().manual_seed(seed)
    worst, largest, done = 0.0, 0.0, 0
    image = stock.held[:1]
    for number in range(_EDITS if straights else 0):
        straight = straights[number % len(straights)]
        change = torch.zeros_like(straight.mean)
        used = straight.mean.abs().amax(0).nonzero().flatten()
        unit = int(used[torch.randint(len(used), (), generator=generator)])
        change[:, unit] = torch.rand(change.shape[0], generator=generator)
        predicted = float((straight.mean * change).sum())
        measured = float(measured_effect(subject, image, target, straight.site, change).mean())
        worst, largest, done = max(worst, abs(predicted - measured)), max(largest, abs(measured)), done + 1
    deviation = max((straight.deviation for straight in straights), default=0.0)
    return Exactness(edits=done, largest_error=worst / largest if largest else 0.0, deviation=deviation)


def _below(
    subject: VisionSubject, table: ChannelTable, parts: Sequence[Channel], stock: _Stock, label: str, halves: Halves
) -> tuple[Part, ...]:
    """What builds the strongest part."""
    if not parts:
        return ()
    sources = _sources(subject, filtered_from(subject, parts[0]), stock)
    return _parts(subject, table, sources, label, halves, BELOW)[0]


def filtered_from(subject: VisionSubject, channel: Channel) -> Channel:
    """The channel that this one is a filtered copy of: a depthwise map reads one channel. Itself where it reads several."""
    for _ in range(_DEPTHWISE):
        units = {
            (straight.site, unit)
            for straight in virtual_weights(subject, channel)
            for unit in straight.centre.abs().amax(0).nonzero().flatten().tolist()
        }
        if len(units) != 1:
            break
        channel = Channel(*next(iter(units)))
    return channel
