"""A monitor's file comes back as it was, and a changed one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from brainscan.core.errors import RecordError
from brainscan.monitor.record import Arrays, Drawn, Monitor, Verdict, monitor_bytes, read_monitor, write_monitor
from tests.monitor.world import fitted


def test_a_monitor_comes_back_as_it_was(tmp_path: Path) -> None:
    monitor, arrays = fitted()
    written = write_monitor(tmp_path / "monitor.safetensors", monitor, arrays)
    again, held = read_monitor(tmp_path / "monitor.safetensors")
    assert again == written == monitor
    assert all(np.array_equal(held[name], arrays[name]) for name in arrays)


def test_a_changed_threshold_is_noticed(tmp_path: Path) -> None:
    monitor, arrays = fitted()
    looser = monitor.model_copy(update={"promise": monitor.promise.model_copy(update={"threshold": 99.0})})
    (tmp_path / "m").write_bytes(monitor_bytes(looser, arrays))
    with pytest.raises(RecordError, match="changed after it was sealed"):
        read_monitor(tmp_path / "m")


def test_a_changed_array_is_noticed(tmp_path: Path) -> None:
    monitor, arrays = fitted()
    name = next(iter(arrays))
    changed = {**arrays, name: arrays[name] + 1e-3}
    (tmp_path / "m").write_bytes(monitor_bytes(monitor, changed))
    with pytest.raises(RecordError, match="changed after it was sealed"):
        read_monitor(tmp_path / "m")


@pytest.mark.parametrize("content", [b"", b"not a file", b"\x80" * 64, json.dumps({"a": 1}).encode()])
def test_what_is_no_monitor_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(RecordError, match="holds no monitor"):
        read_monitor(tmp_path / "m")


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"w": np.zeros(2, dtype=np.float32)}, tmp_path / "m")
    assert load_file(tmp_path / "m")
    with pytest.raises(RecordError, match="holds no monitor"):
        read_monitor(tmp_path / "m")


def test_a_file_of_before_decodings_were_recorded_is_greedy(tmp_path: Path) -> None:
    monitor, arrays = fitted()
    write_monitor(tmp_path / "m", monitor, arrays)
    with safe_open(tmp_path / "m", "numpy") as file:
        record = json.loads(file.metadata()["brainscan.monitor"])
    del record["promise"]["drawn"]
    save_file(arrays, tmp_path / "old", metadata={"brainscan.monitor": json.dumps(record)})
    assert read_monitor(tmp_path / "old")[0] == monitor


def test_the_decoding_of_a_promise_cannot_be_changed(tmp_path: Path) -> None:
    monitor, arrays = fitted()
    drawn = Drawn(temperature=1.0)
    warm = monitor.model_copy(update={"promise": monitor.promise.model_copy(update={"drawn": drawn})})
    (tmp_path / "m").write_bytes(monitor_bytes(warm, arrays))
    with pytest.raises(RecordError, match="changed after it was sealed"):
        read_monitor(tmp_path / "m")
    assert read_monitor(_sealed(tmp_path / "warm", warm, arrays))[0].promise.drawn == drawn


def _sealed(path: Path, monitor: Monitor, arrays: Arrays) -> Path:
    write_monitor(path, monitor, arrays)
    return path


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("The rule quiet took 90 ms and may take 50.", "A rule of the monitor failed."),
        ("The rule quieter failed: KeyError.", "The rule quieter failed: KeyError."),
        (None, None),
    ],
)
def test_what_only_logs_is_not_named_to_clients_even_where_it_fails(failure: str | None, said: str | None) -> None:
    verdict = Verdict(
        outcome="failed" if failure else "clear",
        readings=(),
        alarms=(),
        failure=failure,
        tokens=1,
        within_promise=True,
        monitor_sha256="0" * 64,
    )
    assert verdict.without({"quiet"}).failure == said
