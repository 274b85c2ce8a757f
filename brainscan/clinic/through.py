"""A scan that also looks through a dictionary: the instrument made from a folder, and lent to the registry for one scan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from brainscan.clinic.dictionaries import open_dictionary
from brainscan.clinic.features import ORIGIN, surveyed_dictionary
from brainscan.features.labels import read_labels
from brainscan.features.score import ScoredLabel


@contextlib.contextmanager
def looking_through(ref: str | None) -> Iterator[None]:
    """Within the block, plans have the dictionary instrument; None changes nothing.

    Args:
        ref: a dictionary, or the folder of a survey, whose labels are then shown.

    Raises:
        RecordError: it cannot be read, or is no longer the one that was surveyed.
    """
    if ref is None:
        yield
        return
    from brainscan.scan.instrument import INSTRUMENTS
    from brainscan.scan.instruments.dictionary import DictionaryInstrument

    survey = Path(ref) if (Path(ref) / ORIGIN).is_file() else None
    dictionary = surveyed_dictionary(survey) if survey else open_dictionary(ref)[1]
    labels = {f: _told(label) for f, label in read_labels(survey).items() if label.label.text} if survey else {}
    with INSTRUMENTS.lent("dictionary", DictionaryInstrument(dictionary, dictionary.tensors_sha256(), labels)):
        yield


def _told(scored: ScoredLabel) -> str:
    score = f"detection {scored.detection.value:.2f}" if scored.detection else "label untested"
    return f"{scored.label.text}, {score}"
