"""Neuronpedia's import bundle: a folder of JSON lines with features, activations and explanations.

Layout ``{model}/{source}/``: ``release.jsonl``, ``model.jsonl``, ``sourceset.jsonl``, ``source.jsonl``,
``features/batch-N.jsonl.gz``, ``activations/batch-N.jsonl.gz``, ``explanations/batch-N.jsonl.gz``. Rows of a
feature carry ``layer`` = the source's id ("12-brainscan-res-8k") and ``index`` as text.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.core.files import folder_atomic
from brainscan.features.examples import Example, histogram, stratified, strongest
from brainscan.features.index import FeatureIndex
from brainscan.features.score import ScoredLabel

_BATCH = 256
_BINS = 5

Rows = list[dict[str, Any]]


def write_bundle(
    index: FeatureIndex,
    labels: Mapping[int, ScoredLabel],
    folder: Path,
    *,
    features: Sequence[int] | None = None,
    model: str | None = None,
    source_set: str = "brainscan",
    progress: Callable[[float, str], None] = lambda fraction, words: None,
) -> Path:
    """Write the bundle of some features (all that fire, when not named) and return the source's folder.

    Args:
        model: Neuronpedia's id of the model; the subject's name when None.
        source_set: what the ids of sources end in, after the layer.

    Raises:
        UsageError: a number is no feature, or the survey reads several sites. StorageError: the disk refused.
    """
    model = model or index.about.subject
    if len(index.about.reads) != 1:
        raise UsageError("Neuronpedia has no source over several sites.", "Export one dictionary of one site.")
    chosen = [int(f) for f in (index.alive() if features is None else features)]
    for feature in chosen:
        index.check(feature)
    source = f"{Site.parse(index.about.reads[0]).layer}-{source_set}"
    target = Path(folder) / model / source
    with folder_atomic(target, "source.jsonl") as part:
        for name, rows in _heads(index, model, source, source_set).items():
            (part / f"{name}.jsonl").write_text(_lines(rows), encoding="utf-8")
        for number, start in enumerate(range(0, len(chosen), _BATCH)):
            batch = chosen[start : start + _BATCH]
            _write(part, "features", number, (feature_row(index, f, model, source) for f in batch))
            _write(part, "activations", number, (r for f in batch for r in activation_rows(index, f, model, source)))
            told = (explanation_row(labels[f], model, source) for f in batch if f in labels and labels[f].label.text)
            _write(part, "explanations", number, told)
            progress(min(1.0, (start + _BATCH) / len(chosen)), f"{min(start + _BATCH, len(chosen))} features written")
    return target


def feature_row(index: FeatureIndex, feature: int, model: str, source: str) -> dict[str, Any]:
    """One feature as Neuronpedia's table has it."""
    logits, near, bars = index.logits, index.neighbours, histogram(index, feature)
    middles = [(a + b) / 2 for a, b in zip(bars.edges, bars.edges[1:], strict=False)]
    return {
        "modelId": model,
        "layer": source,
        "index": str(feature),
        "maxActApprox": float(index.maxima[feature]),
        "frac_nonzero": float(index.rates[feature]),
        "hasVector": False,
        "pos_str": index.text(np.asarray(logits.raised[feature])),
        "pos_values": _floats(logits.raised_by[feature]),
        "neg_str": index.text(np.asarray(logits.lowered[feature])),
        "neg_values": _floats(logits.lowered_by[feature]),
        "freq_hist_data_bar_heights": [count / max(index.about.counted, 1) for count in bars.counts],
        "freq_hist_data_bar_values": middles,
        "topkCosSimIndices": [int(f) for f in near.features[feature]],
        "topkCosSimValues": _floats(near.cosines[feature]),
    }


def activation_rows(index: FeatureIndex, feature: int, model: str, source: str) -> Rows:
    """The strongest examples, then some from each fifth of the firings, each text once."""
    where, values = index.firings(feature)
    if not len(where):
        return []
    edges = np.quantile(values, np.linspace(1, 0, _BINS + 1))
    found: dict[int, dict[str, Any]] = {}
    for example in strongest(index, feature, 20):
        found.setdefault(example.position, _activation(example, float(edges[0]), 0.0, 0.0))
    for place, examples in enumerate(stratified(index, feature, bins=_BINS, each=5)):
        for example in examples:
            row = _activation(example, float(edges[place]), float(edges[place + 1]), 1 / _BINS)
            found.setdefault(example.position, row)
    for number, row in enumerate(found.values()):
        row |= {"id": f"{source}-{feature}-{number}", "modelId": model, "layer": source, "index": str(feature)}
    return list(found.values())


def explanation_row(scored: ScoredLabel, model: str, source: str) -> dict[str, Any]:
    """A label, with its detection score as note."""
    label, score = scored.label, scored.detection
    return {
        "id": f"{source}-{label.feature}-{label.labeller}",
        "modelId": model,
        "layer": source,
        "index": str(label.feature),
        "description": label.text,
        "typeName": "brainscan_evidence" if label.clauses else "brainscan_asked",
        "explanationModelName": label.labeller,
        "notes": None
        if score is None
        else f"detection {score.value:.2f} on held-out text (chance 0.50), n = {score.n}",
    }


def _activation(example: Example, high: float, low: float, share: float) -> dict[str, Any]:
    return {
        "tokens": list(example.tokens),
        "values": list(example.values),
        "maxValue": example.value,
        "maxValueTokenIndex": example.peak,
        "minValue": min(example.values),
        "dataIndex": str(example.position),
        "binMin": low,
        "binMax": high,
        "binContains": share,
        "qualifyingTokenIndex": example.peak,
        "dfaValues": [],
        "dfaTargetIndex": None,
        "dfaMaxValue": None,
    }


def _heads(index: FeatureIndex, model: str, source: str, source_set: str) -> dict[str, Rows]:
    about = index.about
    written = f"{about.dictionary}: {about.n_features} features of {', '.join(about.reads)}, surveyed on {about.source}"
    return {
        "release": [{"name": source_set, "description": written, "descriptionShort": written[:100], "urls": []}],
        "model": [{"id": model, "displayName": model, "displayNameShort": model, "creatorId": "", "layers": None}],
        "sourceset": [{"modelId": model, "name": source_set, "description": written, "releaseName": source_set}],
        "source": [{"id": source, "modelId": model, "setName": source_set, "dataset": about.source, "notes": about.source_sha256}],
    }  # fmt: skip


def _floats(values: Any) -> list[float]:
    return [float(value) for value in values]


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _write(folder: Path, table: str, number: int, rows: Iterable[dict[str, Any]]) -> None:
    """One batch; gzip's time stamp is 0, so that equal features give equal bytes."""
    (folder / table).mkdir(exist_ok=True)
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", mtime=0) as stream:
        stream.write(_lines(rows).encode())
    (folder / table / f"batch-{number}.jsonl.gz").write_bytes(held.getvalue())
