"""The verb that judges a dictionary: on its activations, on the subject's predictions, on concepts, against another seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainscan.clinic.corpus import texts_of
from brainscan.clinic.dictionaries import open_dictionary
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import UsageError
from brainscan.core.evidence import Measurement, Record
from brainscan.core.files import write_atomic

if TYPE_CHECKING:
    import torch

    from brainscan.activations.stream import ActivationStream
    from brainscan.dictionary.behaviour import Preservation
    from brainscan.dictionary.dictionary import Dictionary
    from brainscan.subject.language import LanguageSubject
    from brainscan.subject.progress import Progress

Bools = NDArray[np.bool_]

_MEGABYTE = 1 << 20
_PROBED, _FEWEST = 4096, 40
"""Tokens that concepts are probed on, and how many of them a concept needs in either half."""


@dataclass(frozen=True)
class Judging:
    """What is to be judged, and how thoroughly."""

    dictionary: str
    subject: str
    text: str | None = None
    tokens: int = 50_000
    saebench: Path | None = None
    """File for SAEBench's result JSON."""
    other: str | None = None
    """The same dictionary from another seed: are the features the same?"""
    concepts: bool = False
    """Whether word classes are probed for with a few features."""


class JudgedConcept(Record):
    """How well few features tell one word class from the rest."""

    concept: str
    measurements: tuple[Measurement, ...]
    """One a number of features, each with its baselines."""


class JudgedDictionary(Record):
    """Measurements of a dictionary."""

    folder: str
    subject: str
    text: str
    tokens: int
    """Counted by the measurements: fewer than asked for where the texts end before, outliers left out."""
    trained_on_these_texts: bool | None
    """None when the dictionary does not say what it was trained on."""
    measurements: tuple[Measurement, ...]
    concepts: tuple[JudgedConcept, ...] = ()


def judge_dictionary(judging: Judging, progress: Progress) -> JudgedDictionary:
    """Judge a dictionary of one site on a subject, and write SAEBench's JSON when asked.

    Raises:
        UsageError: it is a set, or does not fit the subject. RecordError: it cannot be read.
    """
    from brainscan.dictionary.fit import check_fit
    from brainscan.dictionary.quality import measure
    from brainscan.dictionary.recovery import seed_stability
    from brainscan.dictionary.saebench import core_result

    folder, dictionary = open_dictionary(judging.dictionary)
    other = open_dictionary(judging.other)[1] if judging.other else None
    if other is not None and other.d_out != dictionary.d_out:
        raise UsageError("The two dictionaries write sites of different width.", "Give another seed of the same one.")
    source, subject = texts_of(judging.text), open_subject(judging.subject, progress=progress)
    check_fit(subject, dictionary)
    stream = _stream(subject, dictionary, judging)
    measured = measure(dictionary, _pairs(stream, dictionary, judging.tokens, progress))
    kept = _kept(subject, dictionary, stream, judging.tokens)
    if judging.saebench is not None:
        result = core_result(dictionary, measured, kept, name=folder.name, model=subject.card.name)
        write_atomic(judging.saebench, json.dumps(result, indent=1) + "\n")
    seen = dictionary.about.get("source_sha256")
    return JudgedDictionary(
        folder=str(folder),
        subject=subject.card.name,
        text=source.name,
        tokens=measured[0].n,
        trained_on_these_texts=None if seen is None else seen == source.identity(),
        measurements=(
            *measured,
            *(kept.measurements() if kept else ()),
            *((seed_stability(dictionary, other),) if other is not None else ()),
        ),
        concepts=_concepts(subject, dictionary, _stream(subject, dictionary, judging)) if judging.concepts else (),
    )


def _stream(subject: LanguageSubject, dictionary: Dictionary, judging: Judging) -> ActivationStream:
    from brainscan.activations.stream import ActivationStream, StreamConfig

    sites = tuple(dict.fromkeys((*dictionary.reads, *dictionary.writes)))
    rows = max(16, min(512, 1 + judging.tokens // 100))  # a whole window is read before the first batch comes
    config = StreamConfig(sites=sites, seed=1, batch=1024, memory=512 * _MEGABYTE, window=rows)
    return ActivationStream(subject, texts_of(judging.text), config)


def _kept(
    subject: LanguageSubject, dictionary: Dictionary, stream: ActivationStream, tokens: int
) -> Preservation | None:
    from brainscan.activations.contexts import Cursor
    from brainscan.dictionary.behaviour import preservation

    if len(dictionary.reads) != 1 or len(dictionary.writes) != 1:
        return None
    rows = next(stream.packer.windows(Cursor())).rows[: max(4, min(64, tokens // 1000))]
    return preservation(subject, dictionary, rows.tolist())


def _pairs(
    stream: ActivationStream, dictionary: Dictionary, tokens: int, progress: Progress
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    from brainscan.dictionary.dictionary import side_by_side

    done = 0
    for batch in stream:
        x = {str(site): values for site, values in batch.values.items()}
        yield side_by_side(x, dictionary.reads), side_by_side(x, dictionary.writes)
        done += len(batch.tokens)
        progress(min(1.0, done / tokens), f"{done:,} tokens judged")
        if done >= tokens:
            return


def _concepts(subject: LanguageSubject, dictionary: Dictionary, stream: ActivationStream) -> tuple[JudgedConcept, ...]:
    """Probe for the class of the token read; even rows learn, odd rows judge."""
    import torch

    from brainscan.dictionary.dictionary import side_by_side
    from brainscan.dictionary.sparse_probing import ProbeData, sparse_probe
    from brainscan.features.words import look

    words = look(tuple(subject.pieces(range(int(subject.unembedding.shape[0])))))
    rows, ids = [], []
    for batch in stream:
        rows.append(side_by_side({str(site): v for site, v in batch.values.items()}, dictionary.reads))
        ids.append(batch.tokens.numpy())
        if sum(map(len, ids)) >= _PROBED:
            break
    x, classes = torch.cat(rows), words.codes["class"][np.concatenate(ids)]
    with torch.no_grad():
        codes = dictionary.encode(x).numpy()
    train = np.arange(len(x)) % 2 == 0
    found = []
    for number, name in enumerate(words.names["class"]):
        y = classes == number
        if min(y[train].sum(), y[~train].sum()) >= _FEWEST:
            others = _as_many(y, train)
            part = ProbeData(x.numpy()[others], codes[others], y[others], train[others])
            found.append(JudgedConcept(concept=name, measurements=sparse_probe(part)))
    return tuple(found)


def _as_many(y: Bools, train: Bools) -> NDArray[np.intp]:
    """Rows of a class and as many others, in either half: then chance is one half."""
    rng = np.random.default_rng(0)
    chosen = [np.flatnonzero(y)]
    for part in (train, ~train):
        rest = np.flatnonzero(part & ~y)
        chosen.append(rng.choice(rest, min(len(rest), int((y & part).sum())), replace=False))
    return np.sort(np.concatenate(chosen))
