"""The verbs on features: survey, show, search, label, export. Only survey, and search by text, open a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from brainscan.clinic.corpus import texts_of
from brainscan.clinic.environment import read_agent, read_environment
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import check_replaceable, write_atomic
from brainscan.features.examples import Example, Histogram, histogram, stratified, strongest
from brainscan.features.index import MANIFEST, About, FeatureIndex, read_about, read_index, write_index
from brainscan.features.label import EvidenceLabeller, Labeller
from brainscan.features.labels import add_labels, read_labels
from brainscan.features.score import Protocol, ScoredLabel, Summary, label_features, summarise
from brainscan.features.search import Hit, by_contrast, by_text, by_words

if TYPE_CHECKING:
    from brainscan.dictionary.dictionary import Dictionary
    from brainscan.subject.language import LanguageSubject
    from brainscan.subject.progress import Progress

ORIGIN = "origin.json"
EXPORTS = ("html", "json", "neuronpedia")
LABELLERS = ("evidence", "endpoint", "local")


class Origin(Record):
    """What a survey was made with, so that a search by text can open it again."""

    subject: str
    dictionary: str
    dictionary_sha256: str | None = None
    """Of its tensors; surveys of earlier versions do not say."""
    site: str | None = None
    """What it reads, where a person had to say so."""


class Named(Record):
    """A token or feature with a number."""

    name: str
    value: float


class ShownFeature(Record):
    """One feature with everything that the survey knows of it."""

    feature: int
    label: ScoredLabel | None
    rate: float
    """Share of tokens on which it fires, 0 to 1."""
    firings: int
    largest: float
    raised: tuple[Named, ...]
    lowered: tuple[Named, ...]
    neighbours: tuple[Named, ...]
    histogram: Histogram
    strongest: tuple[Example, ...]
    slices: tuple[tuple[Example, ...], ...]
    """Random examples from each fifth of the firings, strongest fifth first."""


@dataclass(frozen=True)
class Surveying:
    """What is to be surveyed, and how much is read."""

    dictionary: str
    subject: str
    out: Path
    text: str | None = None
    tokens: int = 200_000
    context: int = 128
    site: str | None = None
    """What the dictionary reads, where it does not say so itself."""


def survey_features(wanted: Surveying, progress: Progress) -> About:
    """Survey a dictionary over texts into a folder.

    Raises:
        UsageError: the dictionary does not fit the subject. SubjectError: the model cannot be opened.
        StorageError: the folder holds something else, or the disk refused.
    """
    from brainscan.clinic.dictionaries import open_dictionary
    from brainscan.features.survey import SurveyConfig, survey
    from brainscan.subject.source import absolute_spec

    check_replaceable(wanted.out, MANIFEST)
    path, dictionary = open_dictionary(wanted.dictionary, wanted.site)
    source = texts_of(wanted.text)
    config = SurveyConfig(tokens=wanted.tokens, context=wanted.context)
    index = survey(
        open_subject(wanted.subject, progress=progress), dictionary, source, config, name=path.name, progress=progress
    )
    write_index(index, wanted.out)
    origin = Origin(
        subject=absolute_spec(wanted.subject, read_environment().cache),
        dictionary=str(path.resolve()) + wanted.dictionary[len(wanted.dictionary.partition("#")[0]) :],
        dictionary_sha256=dictionary.tensors_sha256(),
        site=wanted.site,
    )
    write_atomic(wanted.out / ORIGIN, origin.model_dump_json(indent=1))
    return index.about


def show_feature(folder: Path, feature: int, examples: int = 5) -> ShownFeature:
    """Everything that a survey knows of one feature.

    Raises:
        UsageError: there is no such feature. RecordError: there is no survey, or it is broken.
    """
    index = read_index(folder)
    _, values = index.firings(feature)
    logits, near = index.logits, index.neighbours

    def tokens(ids: np.ndarray, values: np.ndarray) -> tuple[Named, ...]:
        names = index.text(np.asarray(ids[feature]))
        return tuple(Named(name=n, value=float(v)) for n, v in zip(names, values[feature], strict=True))

    pairs = zip(near.features[feature], near.cosines[feature], strict=True)
    return ShownFeature(
        feature=feature,
        label=read_labels(folder).get(feature),
        rate=float(index.rates[feature]),
        firings=len(values),
        largest=float(index.maxima[feature]),
        raised=tokens(logits.raised, logits.raised_by),
        lowered=tokens(logits.lowered, logits.lowered_by),
        neighbours=tuple(Named(name=str(int(f)), value=float(c)) for f, c in pairs),
        histogram=histogram(index, feature),
        strongest=strongest(index, feature, examples),
        slices=stratified(index, feature, each=2),
    )


def search_features(
    folder: Path,
    words: str | None,
    text: str | None,
    against: str | None,
    count: int,
    progress: Progress,
) -> tuple[Hit, ...]:
    """Find features by words, by a text that makes them fire, or by two texts that differ.

    Raises:
        UsageError: not exactly one way was asked for. InputError: nothing to look for.
    """
    if (words is None) == (text is None) or (against is not None and text is None):
        raise UsageError("A search is by words, by --text, or by --text and --against.", "Give one of these.")
    index, labels = read_index(folder), read_labels(folder)
    if words is not None:
        return by_words(index, labels, words, count)
    subject, dictionary = reopen(folder, progress)
    if against is not None:
        return by_contrast(index, labels, subject, dictionary, (str(text), against), count)
    return by_text(index, labels, subject, dictionary, str(text), count)


def label_survey(
    folder: Path,
    labeller: str,
    features: Sequence[int],
    sample: int | None,
    seed: int,
    progress: Progress,
) -> tuple[Summary, tuple[ScoredLabel, ...]]:
    """Label features, score the labels on held-out text, and keep them beside the survey.

    Args:
        features: these; when empty, ``sample`` drawn at random from those that fired (None for all).

    Raises:
        UsageError: no such labeller or feature, or its endpoint is not set.
    """
    index = read_index(folder)
    chosen = list(features) or _sample(index, sample, seed)
    who = _labeller(labeller, index, progress)
    scored = label_features(index, chosen, who, Protocol(seed=seed), keep=_keeper(who, folder), progress=progress)
    add_labels(folder, scored)
    return summarise(scored, who.name), scored


def export_features(
    folder: Path, out: Path, form: str, features: Sequence[int], sample: int | None, progress: Progress
) -> Path:
    """Write features as a page, as JSON, or as Neuronpedia's import bundle, and say where.

    Raises:
        UsageError: no such form or feature. StorageError: the disk refused.
    """
    from brainscan.features.neuronpedia import write_bundle
    from brainscan.report.features import MOST, features_html

    index, labels = read_index(folder), read_labels(folder)
    chosen = list(features) or _sample(index, sample if sample or form != "html" else MOST, 0)
    for feature in chosen:
        index.check(feature)
    if form == "neuronpedia":
        return write_bundle(index, labels, out, features=chosen, progress=progress)
    if form == "html":
        write_atomic(out, features_html(index, labels, chosen))
    elif form == "json":
        shown = [show_feature(folder, feature).model_dump(mode="json") for feature in chosen]
        about = index.about.model_dump(mode="json")
        write_atomic(out, json.dumps({"schema": "brainscan.features/1", "about": about, "features": shown}) + "\n")
    else:
        raise UsageError(f"There is no form {form!r}.", f"Choose one of: {', '.join(EXPORTS)}.")
    return out


def _sample(index: FeatureIndex, count: int | None, seed: int) -> list[int]:
    """Features that fired, drawn at random, in ascending order; those with labels are not preferred."""
    alive = index.alive()
    if count is None or count >= len(alive):
        return [int(f) for f in alive]
    return sorted(int(f) for f in np.random.default_rng(seed).choice(alive, count, replace=False))


def _keeper(labeller: Labeller, folder: Path) -> Callable[[Sequence[ScoredLabel]], object]:
    """Answers that a model took its time for, or was paid for, are written as they come; evidence costs nothing."""
    if isinstance(labeller, EvidenceLabeller):
        return lambda labels: None
    return lambda labels: add_labels(folder, labels)


def _labeller(name: str, index: FeatureIndex, progress: Progress) -> Labeller:
    from brainscan.features.ask import AskingLabeller, endpoint, local

    kind, _, model = name.partition(":")
    if kind == "evidence":
        return EvidenceLabeller(index)
    if kind == "endpoint":
        agent = read_agent()
        return AskingLabeller(index, endpoint(agent.url, agent.model, agent.key), agent.model)
    if kind == "local" and model:
        return AskingLabeller(index, local(open_subject(model, progress=progress)), model)
    raise UsageError(f"There is no labeller {name!r}.", "Choose evidence, endpoint, or local:MODEL.")


def reopen(folder: Path, progress: Progress) -> tuple[LanguageSubject, Dictionary]:
    """The subject and the dictionary that a survey was made with.

    Raises:
        RecordError: the survey does not say, one of them is gone, or it is no longer the same.
    """
    dictionary, origin = surveyed_dictionary(folder), read_origin(folder)
    subject = open_subject(origin.subject, progress=progress)
    if subject.card.weights_sha256 != read_about(folder).subject_sha256:
        raise RecordError(f"The weights of {origin.subject} are not those that were surveyed.", "Survey them again.")
    return subject, dictionary


def surveyed_dictionary(folder: Path) -> Dictionary:
    """The dictionary that a survey is of.

    Raises:
        RecordError: the survey does not say, or the dictionary is gone or another one.
    """
    from brainscan.clinic.dictionaries import open_dictionary

    origin, about = read_origin(folder), read_about(folder)
    dictionary = open_dictionary(origin.dictionary, origin.site)[1]
    same = origin.dictionary_sha256 in (None, dictionary.tensors_sha256())
    if not same or (dictionary.n_features, dictionary.reads) != (about.n_features, about.reads):
        raise RecordError(
            f"The dictionary at {origin.dictionary} is not the one that was surveyed, so its features are others.",
            "Survey it again: brainscan features survey",
        )
    return dictionary


def read_origin(folder: Path) -> Origin:
    """What a survey was made with.

    Raises:
        RecordError: it does not say.
    """
    try:
        return Origin.model_validate_json((Path(folder) / ORIGIN).read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(f"{folder} does not say what it was surveyed with.", "Survey it again.") from error
