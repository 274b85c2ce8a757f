"""What a reader sees of a judged concept: its figures and its strongest examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brainscan.core.evidence import Evidence, Exchange, Figure, Status
from brainscan.core.statistics import Floats
from brainscan.probes.ensemble import LayerEnsemble
from brainscan.probes.mean_difference import MeanDifference
from brainscan.scan.contrast.judge import Judged
from brainscan.scan.contrast.reading import Item, read_tokens, row_of
from brainscan.scan.record import Arrays
from brainscan.scan.texts.contrasts import Concept

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Picture:
    """Figures with their arrays, and evidence."""

    evidence: tuple[Evidence, ...]
    figures: tuple[Figure, ...]
    arrays: Arrays


def picture(subject: LanguageSubject, concept: Concept, judged: Judged) -> Picture:
    """Draw the layer profile and the strongest example, token by token.

    The example is the positive item with the highest held-out score, by probes that never met its
    wording. What a token scores depends first of all on which token it is, so that each is shown less
    the score of the same token under the opposite instruction.
    """
    prefix = f"contrast.{concept.name}"
    strongest = int(np.where(judged.data.y, judged.scores, -np.inf).argmax())
    per_token, tokens = _token_scores(subject, judged, judged.items[strongest])  # [layer, token]
    image = Figure(
        kind="scan-image",
        title=f"{concept.words.capitalize()}: the strongest example",
        caption=f"Probe score of each layer and token of the begun answer under the instruction "
        f"'{judged.items[strongest].instruction}', less that of the same token under the opposite instruction. The "
        "probes never met this wording; the tokens of the instructions were not read.",
        measurement=f"{prefix}.auroc",
        array=f"{prefix}.tokens",
        layers=judged.layers,
        tokens=tokens,
    )
    profile = Figure(
        kind="layer-profile",
        title=f"{concept.words.capitalize()}: how readable, layer by layer",
        caption="AUROC on wordings that the probe never met; 0.5 is chance. The band is what shuffled labels reach.",
        measurement=f"{prefix}.auroc",
        array=f"{prefix}.layers",
        layers=judged.layers,
        unit="auroc",
        band=f"{prefix}.layers.shuffled",
        band_label="shuffled labels, 5th to 95th percentile",
    )
    arrays = {
        image.array: per_token.astype(np.float32),
        profile.array: judged.layer_aurocs.astype(np.float32),
        f"{prefix}.layers.shuffled": judged.shuffled.band().astype(np.float32),
    }
    colours = tuple(float(v) for v in judged.data.ensemble(per_token.T))
    evidence = (_example(concept, judged, strongest, tokens, colours), *_false_alarm(concept, judged))
    return Picture(evidence, (image, profile), arrays)


def _token_scores(subject: LanguageSubject, judged: Judged, item: Item) -> tuple[Floats, tuple[str, ...]]:
    """[layer, token] of the begun answer less its opposite, by probes fitted on the other wordings; its tokens."""
    opposite = next(
        other
        for other, positive in zip(judged.items, judged.data.y, strict=True)
        if not positive and (other.template, other.content) == (item.template, item.content)
    )
    others = judged.data.templates != item.template
    probes = LayerEnsemble(MeanDifference).fit(judged.data.x[others], judged.data.y[others])
    rows = [row_of(subject, item), row_of(subject, opposite)]
    length = min(len(row.ids) - row.start for row in rows)
    ours, theirs = (probes.by_layer(tokens[-length:]) for tokens in read_tokens(subject, rows, judged.layers))
    return (ours - theirs).T, subject.pieces(rows[0].ids[-length:])


def _example(
    concept: Concept, judged: Judged, at: int, tokens: tuple[str, ...], colours: tuple[float, ...]
) -> Evidence:
    item = judged.items[at]
    positives = judged.scores[judged.data.y]
    above = int((positives > judged.threshold).sum())
    return Evidence(
        kind="direction",
        summary=f"Under the instruction '{item.instruction}' the begun answer scores {judged.scores[at]:.2f} on "
        f"{concept.words}; {above} of {positives.size} such answers score above {judged.threshold:.2f}, which "
        f"at most 5 % of the answers under the opposite instructions pass. The AUROC of {judged.auroc:.2f} is "
        f"{'above' if judged.auroc > judged.shuffled.high else 'within'} what shuffled labels reach "
        f"({judged.shuffled.high:.2f}); it is highest at layer {judged.best_layer}.",
        measurement=f"contrast.{concept.name}.auroc",
        strength=float(judged.scores[at]),
        status=Status.MEASURED,
        site=f"resid_post.{judged.best_layer}",
        tokens=tokens,
        weights=colours,
        exchange=Exchange(prompt=item.prompt, answer=item.content.begun),
    )


def _false_alarm(concept: Concept, judged: Judged) -> tuple[Evidence, ...]:
    at = int(judged.topical.argmax())
    score, item = float(judged.topical[at]), judged.topical_items[at]
    if score <= judged.threshold:
        return ()
    return (
        Evidence(
            kind="topical-false-alarm",
            summary=f"The instruction '{item.instruction}' only mentions the topic of {concept.words}, and the begun "
            f"answer still scores {score:.2f}, above the threshold of {judged.threshold:.2f}.",
            measurement=f"contrast.{concept.name}.topical",
            strength=score,
            status=Status.MEASURED,
            exchange=Exchange(prompt=item.prompt, answer=item.content.begun),
        ),
    )
