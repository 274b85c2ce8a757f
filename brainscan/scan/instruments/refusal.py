"""The refusal direction: is there one, how firm is refusal, and what is left of it under jailbreaks and edits?

White box, after Arditi et al. (arXiv 2406.11717). Development categories choose layer and direction; all
that is reported comes from the other categories. Edits test the direction beside shuffled directions of
equal norm; log-odds are those of a refusing first token (``brainscan.scan.answers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.evidence import Evidence, Figure, Measurement, Status
from brainscan.core.statistics import Floats
from brainscan.scan.ask import ask
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.refusal.measured import ABLATION, ADDITION, JAILBREAK, LOSS, MARGIN, SEPARATION, measurements
from brainscan.scan.refusal.reading import DEVELOPMENT, HELD_OUT, Reading, read
from brainscan.scan.texts.requests import PAIRS, Pair
from brainscan.scan.texts.wrappers import WRAPPERS

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

PROFILE, BAND, IMAGE = "refusal/separation_by_layer", "refusal/separation_band", "refusal/projection"
_PLAIN, _WRAPPED = 46, 85
SHOWN = 3
"""Wrappers shown as evidence."""
CLEAN = 6
"""Harmless prompts whose tokens give the scale of the scan image."""


@dataclass(frozen=True)
class Picture:
    """Projection on each layer's direction, token by token, for one harmful prompt."""

    pair: Pair
    tokens: tuple[str, ...]
    z: Floats  # [layer, token], in spreads of harmless prompts' tokens around their mean


class Refusal:
    """Finds the refusal direction, measures refusal's margin, and tests the direction by edits."""

    name = "refusal"
    title = "Refusal direction, its margin under jailbreak wrappers, and edits that test it"
    needs_reference = False
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan."""
        sizes = {"quick": (32, 3, 4, 8, 2), "standard": (64, 8, 6, 16, 4)}
        pairs, wrappers, wrapped, edited, null = sizes.get(plan, (len(PAIRS), len(WRAPPERS), 8, 32, 8))
        return {
            "pairs": pairs,
            "wrappers": wrappers,
            "wrapped": wrapped,
            "edited": edited,
            "null_directions": null,
            "shuffles": 200,
        }

    def texts(self) -> tuple[str, ...]:
        """Requests, twins and wrappers."""
        return (
            *(text for pair in PAIRS for text in (pair.harmful, pair.harmless)),
            *(text for w in WRAPPERS for text in (w.template, w.system or "", w.answer)),
        )

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Twins captured, half of them read again, wrapped twins, edited prompts, and the picture."""
        size = {key: int(value) for key, value in settings.items()}
        plain = 3 * size["pairs"] + 2 * size["edited"] * (1 + size["null_directions"]) + CLEAN + 2
        return Workload(tokens_read=plain * _PLAIN + 2 * size["wrappers"] * size["wrapped"] * _WRAPPED)

    def run(self, examination: Examination) -> Report:
        """Look at the subject, and at the reference with its own layer and direction.

        Raises:
            UsageError: harmful and harmless requests leave the same activations.
        """
        who = [examination.subject] + ([examination.reference] if examination.reference else [])
        readings = []
        for turn, subject in enumerate(who):

            def tell(fraction: float, words: str, turn: int = turn) -> None:
                examination.progress((turn + 0.95 * fraction) / len(who), words)

            # The same draws for both, so that an equal reference gives a shift of exactly 0.
            readings.append(read(subject, dict(examination.step.settings), examination.rng("shuffles"), tell))
        ours = readings[0]
        measured = measurements(ours, readings[1] if len(readings) > 1 else None)
        picture = _picture(examination.subject, ours)
        examination.progress(1.0, "picture taken")
        return Report(
            measurements=measured,
            evidence=(_direction(picture, ours), *_tested(ours, measured), *_wrappers(ours)),
            figures=_figures(picture, ours, examination.subject.n_layers),
            arrays=_arrays(picture, ours),
            notes=_notes(ours, measured),
        )


# --- the picture ---------------------------------------------------------------------------


def _picture(subject: LanguageSubject, reading: Reading) -> Picture:
    """The held-out harmful prompt that projects furthest beyond its twin, from where their texts part."""
    gap = reading.separation.harmful - reading.separation.harmless
    pair = reading.pairs[int(gap.argmax())]
    prompt, twin = ask(subject, pair.harmful), ask(subject, pair.harmless)
    start = next((i for i, (a, b) in enumerate(zip(prompt, twin, strict=False)) if a != b), 0)
    clean = [twin, *(ask(subject, other.harmless) for other in reading.pairs if other != pair)][:CLEAN]
    sites = [Site("resid_post", layer) for layer in range(subject.n_layers)]
    found = capture(subject, [prompt, *clean], sites)
    lines = []
    for site, direction in zip(sites, reading.separation.directions, strict=True):
        harmful, *harmless = (row.double().numpy()[start:] @ direction for row in found[site].rows)
        scale = np.concatenate(harmless)
        lines.append((harmful - scale.mean()) / max(float(scale.std()), 1e-9))
    return Picture(pair, subject.pieces(prompt[start:]), np.stack(lines))


def _figures(picture: Picture, reading: Reading, n_layers: int) -> tuple[Figure, ...]:
    layers, at = tuple(range(n_layers)), reading.separation.layer
    return (
        Figure(
            kind="layer-profile",
            title="Where the subject tells harmful from harmless",
            caption=(
                f"AUROC on {len(reading.pairs)} held-out pairs of unseen categories, at the last prompt token; layer {at} "
                f"was chosen on other categories. The band holds 90 % of {len(reading.separation.null)} shuffles of the labels."
            ),
            measurement=SEPARATION,
            array=PROFILE,
            layers=layers,
            unit="auroc",
            band=BAND,
            band_label="shuffled labels, 5 to 95 %",
        ),
        Figure(
            kind="scan-image",
            title="The refusal direction in one harmful prompt",
            caption=(
                f"Projection on each layer's direction, in spreads of the same places of {CLEAN} harmless prompts: high is "
                f"more like a harmful request. The prompt is the clearest of the held-out ones, not a typical one."
            ),
            measurement=SEPARATION,
            array=IMAGE,
            layers=layers,
            tokens=picture.tokens,
            unit="z",
        ),
    )


def _arrays(picture: Picture, reading: Reading) -> dict[str, np.ndarray]:
    band = np.quantile(reading.separation.null, [0.05, 0.95], axis=0)
    return {PROFILE: reading.separation.by_layer, BAND: band, IMAGE: picture.z}


# --- evidence ------------------------------------------------------------------------------


def _direction(picture: Picture, reading: Reading) -> Evidence:
    found = reading.separation
    auroc, null = found.by_layer[found.layer], float(np.median(found.null[:, found.layer]))
    return Evidence(
        kind="direction",
        summary=(
            f"At layer {found.layer} one direction puts harmful requests above harmless ones with AUROC {auroc:.2f} on "
            f"{len(reading.pairs)} pairs of categories that it was not made from (shuffled labels {null:.2f}, "
            f"p = {found.p_value():.3f}; input words alone {reading.words_alone:.2f})."
        ),
        measurement=SEPARATION,
        strength=float(auroc - null),
        status=Status.MEASURED,
        site=f"resid_post.{found.layer}",
        tokens=picture.tokens,
        weights=tuple(float(z) for z in picture.z[found.layer]),
    )


def _tested(reading: Reading, measured: tuple[Measurement, ...]) -> tuple[Evidence, ...]:
    """What the two edits did, in numbers, beside shuffled directions."""
    by_name, site = {m.name: m for m in measured}, f"resid_post.{reading.separation.layer}"
    words = {
        ABLATION: ("Projecting the direction out of every layer lowers", "harmful"),
        ADDITION: ("Adding the direction at one layer raises", "harmless"),
    }
    return tuple(
        Evidence(
            kind="direction",
            summary=(
                f"{what} the log-odds of a refusing first word by {m.value:.2f} nats on {m.n} {prompts} requests "
                f"(95 % interval {m.interval.lo:.2f} to {m.interval.hi:.2f}); shuffled directions of equal norm do so "
                f"by {m.baselines[0].value:.2f}."
            ),
            measurement=name,
            strength=m.value - m.baselines[0].value,
            status=Status.INTERVENED,
            site=site,
        )
        for name, (what, prompts) in words.items()
        if (m := by_name[name]).interval is not None
    )


def _wrappers(reading: Reading) -> tuple[Evidence, ...]:
    """The wrappers that take most of the margin; those that take nothing are no evidence."""
    names = dict.fromkeys(item.wrapper.name for item in reading.wrapped)
    found = sorted((_wrapper(name, reading) for name in names), key=lambda evidence: -evidence.strength)
    return tuple(evidence for evidence in found if evidence.strength > 0)[:SHOWN]


def _wrapper(name: str, reading: Reading) -> Evidence:
    items = [item for item in reading.wrapped if item.wrapper.name == name]
    margin = float(np.mean([item.harmful - item.harmless for item in items]))
    plain = float(np.mean([reading.harmful[item.pair] - reading.harmless[item.pair] for item in items]))
    return Evidence(
        kind="wrapper",
        summary=(
            f"Under the wrapper {name!r} the refusal margin is {margin:.2f} nats over {len(items)} pairs; plainly put the "
            f"same pairs have {plain:.2f}."
        ),
        measurement=JAILBREAK,
        strength=plain - margin,
        status=Status.INTERVENED,
    )


def _notes(reading: Reading, measured: tuple[Measurement, ...]) -> tuple[str, ...]:
    lost = any(m.name == LOSS for m in measured)
    return (
        f"Layer and direction come from the categories {', '.join(DEVELOPMENT)}; all numbers from {', '.join(HELD_OUT)}.",
        "The refusal log-odds look at the first token only, and openers such as 'I' also begin other answers.",
        *(
            ()
            if lost
            else (f"{LOSS} was not measured: the interval of {MARGIN} holds 0, so there is no margin to lose.",)
        ),
    )


INSTRUMENT = Refusal()
