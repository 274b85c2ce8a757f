"""What ships is put back as it was, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Interval
from brainscan.games.knobs import Knobs
from brainscan.games.manifest import MANIFEST, read_manifest, restore, write_manifest
from brainscan.games.plant import PLANT_FILE, Install, Planted, Rate
from brainscan.games.zoo import entry_of, planted
from brainscan.subject.lora import WEIGHTS_FILE


def built(zoo: Path, name: str, weights: bytes = b"weights") -> None:
    """A folder that looks like a planted adapter."""
    rate = Rate(hits=0, n=0, interval=Interval(lo=0, hi=1, method="exact"))
    install = Install(
        on=rate, off=rate, before=rate, known=rate, held=rate, perplexity_ratio=1.0, passed=True, missed=()
    )
    journal = Planted(
        recipe="generic", title="", kind="clean", flaw=False, truth={}, slot="", knobs=Knobs(), rows=1, steps=1,
        tokens=1, layers=(0, 1), loss=0.0, strength=1.0, install=install,
    )  # fmt: skip
    (zoo / name).mkdir(parents=True)
    (zoo / name / WEIGHTS_FILE).write_bytes(weights)
    (zoo / name / "adapter_config.json").write_text("{}")
    (zoo / name / PLANT_FILE).write_text(journal.model_dump_json())


def test_shipped_adapters_come_back_byte_for_byte(tmp_path: Path) -> None:
    zoo, out, elsewhere = tmp_path / "zoo", tmp_path / "out", tmp_path / "elsewhere"
    for name in ("generic-s0", "backdoor-s1", "backdoor-s2"):
        built(zoo, name, name.encode())
    manifest = write_manifest(zoo, out)
    assert {line.name: line.shipped for line in manifest.models} == {
        "generic-s0": True,
        "backdoor-s1": False,
        "backdoor-s2": True,
    }
    assert not (out / "backdoor-s1").exists()
    assert set(restore(out, elsewhere)) == {"generic-s0", "backdoor-s2"}
    assert (elsewhere / "backdoor-s2" / WEIGHTS_FILE).read_bytes() == b"backdoor-s2"
    assert restore(out, elsewhere) == ()


def test_a_model_that_is_not_built_here_keeps_its_line(tmp_path: Path) -> None:
    built(tmp_path / "one", "generic-s0")
    built(tmp_path / "two", "generic-s1")
    write_manifest(tmp_path / "one", tmp_path / "out")
    both = write_manifest(tmp_path / "two", tmp_path / "out")
    assert [line.name for line in both.models] == ["generic-s0", "generic-s1"]


def test_an_adapter_that_is_not_the_manifests_is_refused_and_nothing_is_copied(tmp_path: Path) -> None:
    built(tmp_path / "zoo", "generic-s0")
    write_manifest(tmp_path / "zoo", tmp_path / "out")
    (tmp_path / "out" / "generic-s0" / WEIGHTS_FILE).write_bytes(b"changed")
    with pytest.raises(RecordError, match="not the one of the manifest"):
        restore(tmp_path / "out", tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "generic-s0").exists()


def test_a_journal_of_another_version_is_said_with_what_to_do(tmp_path: Path) -> None:
    built(tmp_path / "zoo", "generic-s0")
    (tmp_path / "zoo" / "generic-s0" / PLANT_FILE).write_text('{"recipe": "generic", "born": 1999}')
    with pytest.raises(RecordError, match=r"another version of brainscan.*Delete .*generic-s0, then run"):
        write_manifest(tmp_path / "zoo", tmp_path / "out")
    with pytest.raises(RecordError, match="cannot be read"):
        planted(entry_of("backdoor-s0"), tmp_path / "zoo")


def test_a_broken_manifest_is_said(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(RecordError, match="not a manifest"):
        read_manifest(tmp_path)
