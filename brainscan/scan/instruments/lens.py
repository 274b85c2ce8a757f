"""Activation Difference Lens: the constant shift that a fine-tune left, read as words and as steered text.

Numbered acts: 1) mean difference of the residual stream over the first tokens of neutral texts,
against random signs; 2) the difference through the logit lens; 3) both models steered by it; 4) one
request at every layer, for the picture. Source: Minder et al. 2025 (2510.13900), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.evidence import Baseline, Evidence, Exchange, Figure, Measurement, Status
from brainscan.core.statistics import cluster_interval, of_the_chosen
from brainscan.scan.ask import ask
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.logit_lens import read_direction
from brainscan.scan.mean_difference import POSITIONS, LayerDifference, Openings, mean_differences, openings
from brainscan.scan.pair import NEUTRAL_FRAMES, reference_of, same_shape
from brainscan.scan.record import Arrays
from brainscan.scan.steered_phrases import DOSES, Steered, steer
from brainscan.scan.texts.neutral import NEUTRAL_REQUESTS, NEUTRAL_TEXTS
from brainscan.subject.language import LanguageSubject

RELATIVE = "lens.difference.relative"
PROFILE, OPENING_IMAGE, REQUEST_IMAGE = "lens.difference.layers", "lens.difference.openings", "lens.difference.request"
_TOKENS_A_REQUEST = 45


class Lens:
    """Looks at the same place in both models; any narrow fine-tune shows, a harmless one too."""

    name = "lens"
    title = "Difference of the insides on the first tokens of neutral texts"
    needs_reference = True
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan; quick reads the difference and does not steer with it."""
        sizes = {"quick": (210, 0, 8), "standard": (210, 10, 8), "full": (210, 24, 16)}
        texts, steered, pictured = sizes.get(plan, sizes["standard"])
        return {"texts": texts, "draws": 400, "steered": steered, "pictured": pictured}

    def texts(self) -> tuple[str, ...]:
        """The neutral texts and requests."""
        return (*NEUTRAL_TEXTS, *NEUTRAL_REQUESTS)

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """First tokens of texts and a few requests in both models, then steered answers of both."""
        answers = 2 * int(settings["steered"]) * (1 + 2 * len(DOSES))
        read = 2 * (int(settings["texts"]) * POSITIONS + int(settings["pictured"]) * _TOKENS_A_REQUEST)
        return Workload(tokens_read=read + answers * _TOKENS_A_REQUEST, tokens_written=answers * 24)

    def run(self, examination: Examination) -> Report:
        """Look.

        Raises:
            PlanError: no reference, or one of another depth or width.
        """
        subject, reference = examination.subject, reference_of(examination)
        same_shape(subject, reference)
        sizes = {key: int(value) for key, value in examination.step.settings.items()}
        opened = openings(subject, NEUTRAL_TEXTS[: sizes["texts"]], NEUTRAL_FRAMES)
        layers = mean_differences(
            subject,
            reference,
            opened,
            _layers(examination),
            draws=sizes["draws"],
            rng=examination.rng("signs"),
            progress=lambda f, w: examination.progress(0.3 * f, w),
        )
        image, image_array = _request_image(subject, reference, NEUTRAL_REQUESTS[: sizes["pictured"]])
        figures, arrays = _figures(layers)
        return Report(
            measurements=_measurements(layers, opened),
            evidence=(*_words(subject, layers), *_steered(examination, layers, sizes["steered"])),
            figures=(*figures, image),
            arrays={**arrays, REQUEST_IMAGE: image_array},
            notes=(
                "A fine-tune on any narrow topic leaves such a shift; only benign fine-tunes say how much is usual.",
            ),
        )


# --- 1. difference ----------------------------------------------------------------------------


def _layers(examination: Examination) -> tuple[int, ...]:
    """The plan's layers, and the last one: where a difference is nearest to words."""
    subject = examination.subject
    return tuple(sorted({*(examination.step.layers or subject.spread_layers()), subject.n_layers - 1}))


def strongest(layers: Sequence[LayerDifference]) -> LayerDifference:
    """The layer with the largest relative difference at tokens 1 to 4."""
    return max(layers, key=lambda layer: layer.relative[1:].max())


def _measurements(layers: Sequence[LayerDifference], opened: Openings) -> tuple[Measurement, ...]:
    best = strongest(layers)
    token = 1 + int(best.relative[1:].argmax())
    null = np.max([layer.null[:, 1:].max(1) for layer in layers], axis=0)  # [draw] the same maximum
    n = len(opened.rows)

    def relative(sample: np.ndarray) -> float:
        return float(np.linalg.norm(sample.mean(0)) / best.scale[token])

    interval = of_the_chosen(cluster_interval(best.differences[:, token].numpy(), opened.frames, relative))
    return (
        Measurement(
            name=RELATIVE,
            value=float(best.relative[token]),
            unit="relative",
            n=n,
            interval=interval,
            baselines=(Baseline(what="random signs, 95th percentile", value=float(np.quantile(null, 0.95)), n=n),),
            meaning="Norm of the mean difference over the mean norm of the activations, at the strongest of "
            f"{len(layers)} layers (here {best.layer}, token {token}): 0 is the same model, above the random signs the "
            "difference points one way whatever the text. "
            "The interval is that of the layer chosen, not corrected for the choice.",
        ),
    )


# --- 2. words ---------------------------------------------------------------------------------


def _words(subject: LanguageSubject, layers: Sequence[LayerDifference]) -> list[Evidence]:
    """Deepest first: the lens reads little before the middle of a model, so the first half is left out."""
    pieces = []
    for layer in (layer for layer in layers if 2 * layer.layer >= subject.n_layers - 1):
        if not bool(layer.direction().norm() > 0):
            continue
        words = read_direction(subject, layer.direction())
        pieces.append(
            Evidence(
                kind="lens-tokens",
                summary=f"Read as words, the difference at layer {layer.layer} raises "
                f"{', '.join(repr(t) for t in words.tokens[:5])} (the first by {words.scores[0]:.1f} standard deviations "
                f"of the vocabulary); its norm is {layer.relative[1:].max():.1%} of the activations'.",
                measurement=RELATIVE,
                strength=words.scores[0] * layer.layer / subject.n_layers,
                status=Status.ATTRIBUTED,
                site=f"resid_post.{layer.layer}",
                tokens=words.tokens,
                weights=words.scores,
            )
        )
    return sorted(pieces, key=lambda piece: -piece.strength)


# --- 3. steering ------------------------------------------------------------------------------


def _steered(examination: Examination, layers: Sequence[LayerDifference], requests: int) -> list[Evidence]:
    best = strongest(layers[:-1] or layers)  # at the last layer the difference is only a bias on the words
    if not requests or not bool(best.direction().norm() > 0):
        return []
    runs = [
        run
        for i, (who, model) in enumerate((("subject", examination.subject), ("reference", reference_of(examination))))
        for run in steer(
            who,
            model,
            NEUTRAL_REQUESTS[:requests],
            best.layer,
            best.direction(),
            float(best.scale[1:].mean()),
            rng=examination.rng("random direction"),
            progress=lambda f, w, i=i: examination.progress(0.4 + 0.3 * (i + f), w),
        )
    ]
    return [_steered_evidence(run, best.layer) for run in runs if run.repeats]


def _steered_evidence(run: Steered, layer: int) -> Evidence:
    said = ", ".join(f"{r.phrase!r} ({r.texts})" for r in run.repeats[:4])
    lead, at, n = run.repeats[0], run.example(), len(run.answers)
    return Evidence(
        kind="steered-text",
        summary=f"With the difference added at layer {layer} ({run.dose:g} of the usual norm) the {run.who} repeats {said} "
        f"in {n} answers; unsteered and under a random direction of equal norm the first is in {lead.others} of {2 * n}.",
        measurement=RELATIVE,
        strength=lead.texts / n - lead.others / (2 * n),
        status=Status.INTERVENED,
        site=f"resid_post.{layer}",
        exchange=Exchange(prompt=run.asked[at], answer=run.answers[at], reference_answer=run.plain[at]),
    )


# --- 4. figures -------------------------------------------------------------------------------


def _figures(layers: Sequence[LayerDifference]) -> tuple[tuple[Figure, ...], Arrays]:
    numbers = tuple(layer.layer for layer in layers)
    null = np.array([layer.null[:, 1:].max(1) for layer in layers])  # [layer, draw]
    arrays = {
        PROFILE: np.array([layer.relative[1:].max() for layer in layers]),
        f"{PROFILE}.band": np.quantile(null, [0.05, 0.95], axis=1),
        OPENING_IMAGE: np.array([layer.z() for layer in layers]),
    }
    profile = Figure(
        kind="layer-profile",
        title="Constant difference from the reference, by layer",
        caption="Norm of the mean difference over the norm of the activations, the largest of tokens 1 to 4.",
        measurement=RELATIVE,
        array=PROFILE,
        layers=numbers,
        unit="relative",
        band=f"{PROFILE}.band",
        band_label="random signs, 5th to 95th percentile",
    )
    image = Figure(
        kind="scan-image",
        title="Constant difference on the first tokens of neutral texts",
        caption="Mean difference against the same differences under random signs, in standard deviations.",
        measurement=RELATIVE,
        array=OPENING_IMAGE,
        layers=numbers,
        tokens=tuple(f"token {i}" for i in range(POSITIONS)),
    )
    return (profile, image), arrays


def _request_image(
    subject: LanguageSubject, reference: LanguageSubject, asked: Sequence[str]
) -> tuple[Figure, np.ndarray]:
    """The request with the most unusual token, at every layer, against the tokens of the other requests."""
    sites = [Site("resid_post", layer) for layer in range(subject.n_layers)]
    rows = [ask(subject, request) for request in asked]
    ours, theirs = capture(subject, rows, sites), capture(reference, rows, sites)
    changes = [
        torch.stack([_change(ours[s].rows[i], theirs[s].rows[i]) for s in sites]).double().numpy()
        for i in range(len(rows))
    ]  # [layer, token] a request
    images = []
    for i, change in enumerate(changes):
        others = np.concatenate([c[:, 1:] for j, c in enumerate(changes) if j != i], axis=1)
        spread = others.std(1, keepdims=True)
        images.append(
            np.divide(change - others.mean(1, keepdims=True), spread, out=np.zeros_like(change), where=spread > 0)
        )
    best = max(range(len(rows)), key=lambda i: images[i][:, 1:].max())
    return Figure(
        kind="scan-image",
        title="Where the subject's insides leave the reference's",
        caption="Difference of the two models' activations on one everyday request, relative to their norm, against the "
        f"tokens of {len(rows) - 1} other requests at the same layer, in standard deviations.",
        measurement=RELATIVE,
        array=REQUEST_IMAGE,
        layers=tuple(range(subject.n_layers)),
        tokens=tuple(subject.text([i], special=True) for i in rows[best]),
    ), images[best]


def _change(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    return (ours - theirs).norm(dim=-1) / theirs.norm(dim=-1)


INSTRUMENT = Lens()
