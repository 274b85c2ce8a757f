"""Running a plan: order, failures of their own, byte-equal repeats, and resuming after SIGKILL."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from brainscan.core.errors import InputError, SelfCheckFailed
from brainscan.core.evidence import Cost
from brainscan.scan.instrument import INSTRUMENTS, Examination, Report
from brainscan.scan.journal import Journal
from brainscan.scan.plan import Speed, make_plan
from brainscan.scan.record import RECORD_FILE, Plan, Scan, StepResult, read_arrays, read_scan
from brainscan.scan.run import Watch, run_plan, scan_key
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from tests.scan.fakes import FakeInstrument, full_report

SPEED = Speed(read_per_second=1000, write_per_second=100)
SUBJECT = phantom("llama")
ROOT = Path(__file__).parents[2]


def breaks(examination: Examination) -> Report:
    raise InputError("The prompt is odd.", "Change it.")


def out_of_memory(examination: Examination) -> Report:
    raise RuntimeError("CUDA out of memory\nlong report")


for fake in (FakeInstrument("fake-a", full_report), FakeInstrument("fake-b", full_report)):
    INSTRUMENTS.add(fake.name, fake)
INSTRUMENTS.add("fake-broken", FakeInstrument("fake-broken", breaks))
INSTRUMENTS.add("fake-odd", FakeInstrument("fake-odd", out_of_memory))
INSTRUMENTS.add("fake-pair", FakeInstrument("fake-pair", full_report, needs_reference=True))


def plan(*only: str, seed: int = 0) -> Plan:
    return make_plan("standard", SUBJECT, None, seed=seed, only=only, speed=SPEED)


QUIET = Watch()


def run(
    folder: Path,
    *only: str,
    seed: int = 0,
    watch: Watch = QUIET,
    subject: LanguageSubject = SUBJECT,
    again: bool = False,
) -> Scan:
    return run_plan(
        plan(*only, seed=seed),
        subject,
        None,
        folder,
        command="test",
        started_utc="2026-01-01T00:00:00",
        watch=watch,
        again=again,
    )


def timeless(scan: Scan) -> str:
    """A scan without its timing fields, as text."""
    data = scan.model_dump(mode="json")
    data["cost"]["seconds"] = data["provenance"]["started_utc"] = None
    for step in (*data["steps"], *data["plan"]["steps"]):
        step.pop("estimated_seconds", None)
        if "cost" in step:
            step["cost"]["seconds"] = None
    return str(data)


def test_a_scan_on_disk_is_what_was_returned(tmp_path: Path) -> None:
    scan = run(tmp_path, "fake-a", "fake-b")
    assert read_scan(tmp_path) == scan
    assert set(read_arrays(tmp_path)) == {"fake-a.profile", "fake-b.profile"}
    assert [step.outcome for step in scan.steps] == ["done", "done"]
    assert all(check.passed for check in scan.self_check)
    assert {p.name for p in tmp_path.iterdir()} == {"scan.json", "evidence.safetensors", "journal.jsonl"}


def test_the_same_inputs_and_seed_give_the_same_scan_but_for_time(tmp_path: Path) -> None:
    first, second = run(tmp_path / "1", "fake-a", "fake-b"), run(tmp_path / "2", "fake-a", "fake-b")
    assert timeless(first) == timeless(second)
    assert (tmp_path / "1/evidence.safetensors").read_bytes() == (tmp_path / "2/evidence.safetensors").read_bytes()
    assert run(tmp_path / "3", "fake-a", "fake-b", seed=1).id != first.id


def test_a_failed_step_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    scan = run(tmp_path, "fake-broken", "fake-a")
    broken, fine = scan.steps
    assert (broken.outcome, broken.reason) == ("failed", "The prompt is odd. Change it.")
    assert fine.outcome == "done"
    assert any("fake-broken failed" in row.item for row in scan.not_examined)


def test_a_failure_that_is_not_ours_does_not_take_the_other_steps_with_it(tmp_path: Path) -> None:
    odd, fine = run(tmp_path, "fake-odd", "fake-a").steps
    assert odd.outcome == "failed"
    assert odd.reason.startswith("RuntimeError: CUDA out of memory (test_run.py, line ")
    assert fine.outcome == "done"


def test_the_time_of_an_interrupted_scan_is_counted_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, scan_key(plan("fake-a", "fake-b"), SUBJECT, None))
    journal.add(StepResult(instrument="fake-a", outcome="done", cost=Cost(seconds=840.0)), {})
    assert run(tmp_path, "fake-a", "fake-b").cost.seconds > 840


def test_a_journal_that_is_discarded_is_not_resumed(tmp_path: Path) -> None:
    run(tmp_path, "fake-a", "fake-b")
    Journal.discard(tmp_path)
    started: list[str] = []
    run(tmp_path, "fake-a", "fake-b", watch=Watch(started=lambda step: started.append(step.instrument)))
    assert started == ["fake-a", "fake-b"]


def test_discarding_a_journal_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "mine.txt").write_text("x")
    Journal.discard(tmp_path)
    assert (tmp_path / "parts" / "mine.txt").read_text() == "x"


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    scan = run(tmp_path, "fake-pair", "fake-a")
    assert scan.steps[0].outcome == "skipped"
    assert any("reference" in row.reason and "--reference" in row.how_to_examine for row in scan.not_examined)


def test_a_failed_self_check_stops_the_scan_and_is_on_record(tmp_path: Path) -> None:
    broken = phantom("llama")
    layer = broken.body.layers[1]  # type: ignore[index]
    original, calls = layer.forward, [0]

    def drifting(*args: object, **kwargs: object) -> torch.Tensor:
        calls[0] += 1
        return original(*args, **kwargs) + 0.1 * calls[0]

    layer.forward = drifting
    with pytest.raises(SelfCheckFailed, match=r"self-check failed .*Nothing measured on this model can be trusted"):
        run(tmp_path, "fake-a", subject=broken)
    scan = read_scan(tmp_path)
    assert not all(check.passed for check in scan.self_check)
    assert scan.steps == ()


def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path: Path) -> None:
    def stop(step: object, result: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "fake-a", "fake-b", watch=Watch(finished=stop))
    assert not (tmp_path / RECORD_FILE).exists()
    started: list[str] = []
    scan = run(tmp_path, "fake-a", "fake-b", watch=Watch(started=lambda step: started.append(step.instrument)))
    assert started == ["fake-b"]
    assert timeless(scan) == timeless(run(tmp_path / "whole", "fake-a", "fake-b"))


@pytest.mark.parametrize(("seed", "ran"), [(0, ["fake-b"]), (1, ["fake-a", "fake-b"])])
def test_a_finished_scan_is_done_again_only_where_something_changed(tmp_path: Path, seed: int, ran: list[str]) -> None:
    earlier = run(tmp_path, "fake-a", seed=0)
    started: list[str] = []
    watch = Watch(started=lambda step: started.append(step.instrument))
    scan = run(tmp_path, "fake-a", "fake-b", seed=seed, watch=watch, again=True)
    assert started == ran
    assert [step.instrument for step in scan.steps] == ["fake-a", "fake-b"]
    assert timeless(scan) == timeless(run(tmp_path / "fresh", "fake-a", "fake-b", seed=seed))
    assert read_arrays(tmp_path).keys() == read_arrays(tmp_path / "fresh").keys()
    assert scan.cost.seconds >= earlier.steps[0].cost.seconds * (seed == 0)


def test_another_plan_s_journal_is_not_resumed(tmp_path: Path) -> None:
    def stop(step: object, result: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "fake-a", "fake-b", watch=Watch(finished=stop))
    started: list[str] = []
    run(tmp_path, "fake-a", "fake-b", seed=5, watch=Watch(started=lambda step: started.append(step.instrument)))
    assert started == ["fake-a", "fake-b"]


CHILD = """
import os, signal, sys
from pathlib import Path
from brainscan.scan.instrument import INSTRUMENTS
from tests.scan import test_run as house
from tests.scan.fakes import FakeInstrument, full_report

def dies(examination):
    os.kill(os.getpid(), signal.SIGKILL)

INSTRUMENTS.add("fake-mortal", FakeInstrument("fake-mortal", dies if sys.argv[2] == "die" else full_report))
house.run(Path(sys.argv[1]), "fake-a", "fake-mortal")
"""


def child(folder: Path, mood: str) -> int:
    return subprocess.run([sys.executable, "-c", CHILD, str(folder), mood], cwd=ROOT, capture_output=True).returncode


def test_a_killed_scan_resumes_to_the_same_record(tmp_path: Path) -> None:
    assert child(tmp_path / "killed", "die") == -signal.SIGKILL
    assert not (tmp_path / "killed" / RECORD_FILE).exists()
    with (tmp_path / "killed" / "journal.jsonl").open("a") as journal:
        journal.write('{"step": {"instrument": "fake-mor')  # the line that it died in
    assert child(tmp_path / "killed", "live") == 0
    assert child(tmp_path / "whole", "live") == 0
    killed, whole = (read_scan(tmp_path / name) for name in ("killed", "whole"))
    assert timeless(killed) == timeless(whole)
    assert (tmp_path / "killed/evidence.safetensors").read_bytes() == (
        tmp_path / "whole/evidence.safetensors"
    ).read_bytes()
