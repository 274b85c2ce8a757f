"""The labels of a survey on disk, beside it: read, added to, written whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Record
from brainscan.core.files import write_atomic
from brainscan.features.index import LABELS
from brainscan.features.score import ScoredLabel


class Labels(Record):
    """Labels with their scores, one a feature."""

    schema_: Literal["brainscan.labels/1"] = "brainscan.labels/1"
    labels: tuple[ScoredLabel, ...] = ()


def read_labels(folder: Path) -> dict[int, ScoredLabel]:
    """Feature -> its label; empty when none was made.

    Raises:
        RecordError: the file is broken.
    """
    path = Path(folder) / LABELS
    if not path.is_file():
        return {}
    try:
        held = Labels.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecordError(f"{path} is broken.", "Delete it and label again.") from error
    return {each.label.feature: each for each in held.labels}


def add_labels(folder: Path, scored: Iterable[ScoredLabel]) -> dict[int, ScoredLabel]:
    """Write labels beside those that are there; a new label replaces the feature's old one, unless only the old has a score.

    Raises:
        StorageError: the disk refused. RecordError: the file is broken.
    """
    held = read_labels(folder)
    for each in scored:
        old = held.get(each.label.feature)
        if old is None or old.detection is None or each.detection is not None:
            held[each.label.feature] = each
    labels = Labels(labels=tuple(held[f] for f in sorted(held)))
    write_atomic(Path(folder) / LABELS, labels.model_dump_json())
    return held
