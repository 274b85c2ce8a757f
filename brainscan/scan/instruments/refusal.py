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
from brainscan.core.evidence import Evidence, Exchange, Figure, Measurement, Status
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
        seed = int(examination.rng("bootstrap").integers(2**31))
        ours = readings[0]
        measured = measurements(ours, readings[1] if len(readings) > 1 else None, seed)
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
    rows = []
    for site in sites:
        harmful, *harmless = (row.double().numpy()[start:] for row in found[site].rows)
        direction = harmful[-1] - np.mean([row[-1] for row in harmless], 0)
        scale = np.concatenate([row @ direction for row in harmless])
        rows.append((harmful @ direction - scale.mean()) / max(float(scale.std()), 1e-9))
    return Picture(pair, subject.pieces(prompt[start:]), np.stack(rows))
