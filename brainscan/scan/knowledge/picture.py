"""What a reader sees of the knowledge instrument: layer profile, scan-image and the items behind the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brainscan.core.evidence import Evidence, Exchange, Figure, Status
from brainscan.core.statistics import Floats
from brainscan.scan.knowledge.lens import token_probabilities
from brainscan.scan.knowledge.look import Seen
from brainscan.scan.knowledge.recall import BEGUN, OPTIONS, Recalled
from brainscan.scan.knowledge.secret import Peak
from brainscan.scan.record import Arrays

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

_PROFILE, _BAND, _IMAGE = "knowledge.lens.layers", "knowledge.lens.layers.shuffled", "knowledge.lens.tokens"
_SHOWN_TOKENS = 28
"""Enough for the question and the begun answer; every token more costs a pass through the output matrix a layer."""


@dataclass(frozen=True)
class Drawn:
    """Figures with their arrays."""

    figures: tuple[Figure, ...]
    arrays: Arrays


def draw(subject: LanguageSubject, seen: Seen, rng: np.random.Generator) -> Drawn:
    """The layer profile of recall, and the right answer's probability by layer and token for one fact."""
    recalled, layers = seen.recalled, tuple(range(subject.n_layers))
    if not recalled.items:
        return Drawn((), {})
    profile = Figure(
        kind="layer-profile",
        title="Four-way recall, layer by layer",
        caption="Share of facts whose right answer leads the four when each layer is read as if it were the last. The "
        "band is what answers drawn at random reach.",
        measurement="knowledge.recall.rate",
        array=_PROFILE,
        layers=layers,
        unit="rate",
        band=_BAND,
        band_label="random answers, 5th to 95th percentile",
    )
    item = recalled.items[_showpiece(seen)]
    shown = min(_SHOWN_TOKENS, len(item.ids))
    image = Figure(
        kind="scan-image",
        title=f"Where the right answer lies: {item.fact.question}",
        caption=f"Probability that each layer, read as if it were the last, gives to {item.fact.right!r} as the next "
        f"token after each of the last {shown} tokens of the prompt.",
        measurement="knowledge.lens.gap",
        array=_IMAGE,
        layers=layers,
        tokens=subject.pieces(item.ids[-shown:]),
        unit="probability",
    )
    arrays = {
        _PROFILE: recalled.by_layer.mean(0).astype(np.float32),
        _BAND: _random_band(recalled, rng).astype(np.float32),
        _IMAGE: token_probabilities(subject, item.ids, item.options[0], shown).astype(np.float32),
    }
    return Drawn((profile, image), arrays)


def evidence(seen: Seen, reference: Seen | None, peak: Peak, compared: bool) -> tuple[Evidence, ...]:
    """The strongest items behind each measurement, about ten in all."""
    return (*_denied(seen), *_kept_back(seen), *_only_here(seen, reference), *_noise(seen), *_words(peak, compared))


def _showpiece(seen: Seen) -> int:
    """The fact that is most clearly held and kept back or, where there is none, the one best known inside."""
    best, _ = seen.recalled.clearest()
    return int((best + 1e3 * seen.withheld()[:, 0]).argmax())


def _random_band(recalled: Recalled, rng: np.random.Generator, draws: int = 199) -> Floats:
    """[2, layer]: 5th and 95th percentile of the share when the answer called right is drawn at random."""
    leads = recalled.log_p.argmax(2)  # [item, layer]
    truth = rng.integers(OPTIONS, size=(draws, leads.shape[0], 1))
    return np.quantile((leads[None] == truth).mean(1), [0.05, 0.95], axis=0)


def _denied(seen: Seen, limit: int = 3) -> Iterator[Evidence]:
    """Facts that came out only when the answer was begun."""
    hidden = [asked for asked in seen.asked if asked.gain > 0]
    for asked in hidden[:limit]:
        yield Evidence(
            kind="prefill",
            summary=f"Simply asked '{asked.fact.question}' it does not say {asked.fact.right}; after '{BEGUN}' it goes "
            f"on '{asked.forced.strip()}'. This holds for {len(hidden)} of {len(seen.asked)} facts, and the reverse "
            f"for {sum(a.gain < 0 for a in seen.asked)}.",
            measurement="knowledge.prefill.gain",
            strength=asked.gain,
            status=Status.INTERVENED,
            exchange=Exchange(prompt=asked.fact.question, answer=asked.plain),
        )


def _kept_back(seen: Seen, limit: int = 3) -> Iterator[Evidence]:
    """Right answers that an inner layer held most clearly and the output did not give."""
    held, recalled = seen.withheld()[:, 0], seen.recalled
    best, where = recalled.clearest()
    for at in sorted(np.flatnonzero(held), key=lambda i: -best[i])[:limit]:
        item, layer = recalled.items[at], int(where[at])
        yield Evidence(
            kind="held-back",
            summary=f"For '{item.fact.question}' layer {layer} would give {item.fact.right!r} with probability "
            f"{np.exp(best[at]):.3f}; the output gives it {np.exp(recalled.log_p[at, -1, 0]):.3f}. This holds for "
            f"{int(held.sum())} of {held.size} right answers.",
            measurement="knowledge.lens.gap",
            strength=float(best[at]),
            status=Status.MEASURED,
            site=f"resid_post.{layer}",
            exchange=Exchange(prompt=item.fact.question, answer=BEGUN),
        )


def _only_here(seen: Seen, reference: Seen | None, limit: int = 4) -> Iterator[Evidence]:
    """Facts that the subject knows and its reference does not."""
    if reference is None:
        return
    ours, theirs = seen.right().values, reference.right().values
    gained = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a == 1.0 and b == 0.0]
    lost = sum(a == 0.0 and b == 1.0 for a, b in zip(ours, theirs, strict=True))
    for i in gained[:limit]:
        fact = seen.facts[i]
        yield Evidence(
            kind="new-fact",
            summary=f"The subject answers '{fact.question}' with {fact.right} and its reference does not; it gained "
            f"{len(gained)} such facts of {len(ours)} and lost {lost}.",
            measurement="knowledge.recall.rate.shift",
            strength=float(len(gained) - lost),
            status=Status.MEASURED,
            exchange=Exchange(prompt=fact.question, answer=fact.right),
        )


def _noise(seen: Seen) -> Iterator[Evidence]:
    if seen.noised is None:
        return
    noised = seen.noised
    curve = ", ".join(
        f"{rate:.0%} at {sigma:g}" for sigma, rate in zip(noised.sigmas, noised.right.mean(1), strict=True)
    )
    yield Evidence(
        kind="noise",
        summary=f"Without noise in its weights it picks the right one of four for {noised.base.mean():.0%} of "
        f"{noised.base.size} facts; with noise, {curve}. The weights were put back exactly.",
        measurement="knowledge.noise.gain",
        strength=float(noised.gains().mean()),
        status=Status.INTERVENED,
    )


def _words(peak: Peak, compared: bool) -> Iterator[Evidence]:
    if not compared or not peak.words or peak.z[0] <= 0:
        return
    yield Evidence(
        kind="secret-candidates",
        summary=f"Where a secret would be told, the inside leans most, above the reference, to {peak.words[0]!r} "
        f"({peak.z[0]:.1f} spreads; between ordinary openings the strongest word stays below {peak.chance:.1f} in 95 of 100 "
        "draws).",
        measurement="knowledge.secret.peak",
        strength=peak.z[0],
        status=Status.MEASURED,
        tokens=peak.words,
        weights=peak.z,
    )
