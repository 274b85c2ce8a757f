"""The trainer: recovery of known features, exact resume after SIGKILL, refusals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from brainscan.core.errors import RecordError, UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.recovery import recovery
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.synthetic import FeatureWorld, PhantomStream, World
from brainscan.dictionary.train import Request, RunPlan, Trained, train
from tests.dictionary.tasks import EASY

SITE = ("resid_post.0",)


def small_plan(steps: int = 60, **settings: object) -> RunPlan:
    kinds = {"topk": {"kind": "topk"}, "jump": {"kind": "jumprelu"}, "routed": {"kind": "batchtopk", "sketch": 8}}
    requests = tuple(
        Request(name=name, settings=Settings(n_features=64, k=3, dead_after=800, **how, **settings), reads=SITE)
        for name, how in kinds.items()
    )
    return RunPlan(requests=requests, steps=steps, journal_every=10, checkpoint_every=7)


def phantom_stream(state: dict | None, batches: int = 60) -> PhantomStream:
    world = FeatureWorld(World(n_features=40, d=16, rate=0.08, noise=0.05))
    return PhantomStream(world, 200, batches, 0 if state is None else state["at"])


def go(folder: Path, steps: int = 60) -> Trained:
    return train(phantom_stream, small_plan(steps), folder, threads=1)


SCRIPT = """
import sys
from pathlib import Path
from tests.dictionary.test_train import phantom_stream, small_plan
from brainscan.dictionary.train import train
train(phantom_stream, small_plan(), Path(sys.argv[1]), threads=1)
"""


def test_a_killed_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole = go(tmp_path / "whole")
    journal = tmp_path / "killed" / "journal.jsonl"
    child = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "killed")])
    deadline = time.monotonic() + 120
    while child.poll() is None and time.monotonic() < deadline:
        if list((tmp_path / "killed").glob("checkpoint-*/checkpoint.json")):
            break
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the child finished before it was killed"
    resumed = go(tmp_path / "killed")
    assert 0 < resumed.resumed_at < 60
    assert (resumed.steps, resumed.tokens) == (whole.steps, whole.tokens)
    for name, made in whole.dictionaries.items():
        again = resumed.dictionaries[name]
        assert isinstance(made, Dictionary) and isinstance(again, Dictionary)
        assert all(torch.equal(tensor, again.tensors()[part]) for part, tensor in made.tensors().items()), name
    lines = [
        [json.loads(line) for line in p.read_text().splitlines()]
        for p in (tmp_path / "whole" / "journal.jsonl", journal)
    ]
    for of in lines:
        for line in of:
            del line["tokens_per_second"]
    assert lines[0] == lines[1]


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first, second = go(tmp_path, 10), go(tmp_path, 10)
    assert second.resumed_at == second.steps == 10
    a, b = first.dictionaries["topk"], second.dictionaries["topk"]
    assert isinstance(a, Dictionary) and isinstance(b, Dictionary)
    assert torch.equal(a.W_dec, b.W_dec)
    assert len(list(tmp_path.glob("checkpoint-*"))) == 1


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    go(tmp_path, 10)
    with pytest.raises(RecordError, match="another plan"):
        go(tmp_path, 11)


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    go(tmp_path, 10)
    (path,) = tmp_path.glob("checkpoint-*/checkpoint.json")
    path.write_text(path.read_text().replace('"step": 10', '"step": 9'))
    with pytest.raises(RecordError, match="cannot be read"):
        go(tmp_path, 10)


def test_a_short_stream_ends_the_run(tmp_path: Path) -> None:
    out = train(lambda s: phantom_stream(s, 4), small_plan(50), tmp_path, threads=1)
    assert (out.steps, out.tokens) == (4, 800)
    made = out.dictionaries["topk"]
    assert made.about["tokens"] == 800


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (RunPlan(requests=(), steps=5), "at least one"),
        (RunPlan(requests=(Request(name="a", reads=SITE),) * 2, steps=5), "name of its own"),
        (RunPlan(requests=(Request(name="a", reads=("mlp_in.3",)),), steps=5), "has no mlp_in.3"),
    ],
)
def test_plans_that_cannot_run(plan: RunPlan, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        train(phantom_stream, plan, tmp_path, threads=1)


def test_an_empty_stream_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gave no batch"):
        train(lambda s: phantom_stream(s, 0), small_plan(), tmp_path, threads=1)


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[float] = []
    train(phantom_stream, small_plan(20), tmp_path, threads=1, progress=lambda share, words: told.append(share))
    assert told == [1 / 20, 0.5, 1.0]


def test_true_features_are_recovered_in_the_easy_regime(tmp_path: Path) -> None:
    truth, steps = FeatureWorld(EASY), 300
    kinds = ("topk", "batchtopk", "jumprelu", "matryoshka")
    plan = RunPlan(
        requests=tuple(
            Request(name=k, settings=Settings(kind=k, n_features=48, k=4, lr=6e-3, dead_after=5000), reads=SITE)
            for k in kinds
        ),
        steps=steps,
    )
    out = train(lambda s: PhantomStream(truth, 512, steps), plan, tmp_path, threads=1)
    drawn = truth.draw(4000, 10**6)
    for kind, made in out.dictionaries.items():
        assert isinstance(made, Dictionary)
        found = recovery(made, truth.directions, drawn)
        assert found.f1 >= 0.9, (kind, found)
        assert found.max_cosine >= 0.9, (kind, found)


def test_rates_rise_and_fall() -> None:
    settings = Settings(lr=1.0, warm_up=10)
    rates = [settings.rate(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == 1.0 == rates[50]
    assert rates[-1] == pytest.approx(1 / 20)
    assert Settings(n_features=2**14).peak_rate == pytest.approx(2e-4)
