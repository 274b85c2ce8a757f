"""Neuronpedia's bundle: its files, its fields, and numbers that are the survey's own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from brainscan.core.errors import UsageError
from brainscan.features.label import EvidenceLabeller
from brainscan.features.neuronpedia import write_bundle
from brainscan.features.score import label_features
from tests.features.planted import planted

INDEX = planted()
LABELS = {s.label.feature: s for s in label_features(INDEX, range(7), EvidenceLabeller(INDEX))}


def rows(path: Path) -> list[dict[str, Any]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.decode().splitlines()]


def test_the_bundle_has_every_table_and_they_refer_to_each_other(tmp_path: Path) -> None:
    folder = write_bundle(INDEX, LABELS, tmp_path, model="gpt2", source_set="mine")
    assert folder == tmp_path / "gpt2" / "1-mine"
    assert [rows(folder / f"{n}.jsonl")[0].get("id") for n in ("model", "source")] == ["gpt2", "1-mine"]
    features = rows(folder / "features" / "batch-0.jsonl.gz")
    assert [row["index"] for row in features] == ["0", "1", "2", "3", "4", "6"], "the dead one is left out"
    for table in ("features", "activations", "explanations"):
        for row in rows(folder / table / "batch-0.jsonl.gz"):
            assert (row["modelId"], row["layer"]) == ("gpt2", "1-mine") and isinstance(row["index"], str)
    told = rows(folder / "explanations" / "batch-0.jsonl.gz")
    assert told[1]["description"] == 'words ending in "ing"' and told[1]["typeName"] == "brainscan_evidence"


def test_numbers_are_the_surveys(tmp_path: Path) -> None:
    folder = write_bundle(INDEX, {}, tmp_path, features=[2])
    (row,) = rows(folder / "features" / "batch-0.jsonl.gz")
    assert row["frac_nonzero"] == pytest.approx(float(INDEX.rates[2]))
    assert row["maxActApprox"] == pytest.approx(float(INDEX.maxima[2]))
    assert sum(row["freq_hist_data_bar_heights"]) == pytest.approx(row["frac_nonzero"])
    assert len(row["pos_str"]) == len(row["pos_values"]) == 3
    examples = rows(folder / "activations" / "batch-0.jsonl.gz")
    assert examples[0]["maxValue"] == pytest.approx(row["maxActApprox"])
    for each in examples:
        assert len(each["tokens"]) == len(each["values"])
        assert each["values"][each["maxValueTokenIndex"]] == each["maxValue"]
        assert each["binMin"] <= each["maxValue"] <= each["binMax"] + 1e-6
    assert len({each["id"] for each in examples}) == len(examples)
    assert rows(folder / "explanations" / "batch-0.jsonl.gz") == []


def test_equal_surveys_give_equal_bytes(tmp_path: Path) -> None:
    a, b = (write_bundle(INDEX, LABELS, tmp_path / name) for name in "ab")
    for path in sorted(a.rglob("*.*")):
        assert path.read_bytes() == (b / path.relative_to(a)).read_bytes()


def test_a_wrong_feature_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_bundle(INDEX, {}, tmp_path, features=[1, 99])
    assert not list(tmp_path.rglob("*.gz"))
