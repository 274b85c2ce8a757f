"""What the measurements of ``bench.monitor`` are computed from: generated once, kept in the cache, resumed in parts.

python -m bench.monitor_data answers     answers to the factual questions, with activations, on SmolLM2-135M-Instruct
python -m bench.monitor_data samples     three sampled answers to each question of the report's part
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from bench.monitor_questions import Question, questions
from brainscan import load_subject
from brainscan.clinic.environment import read_environment
from brainscan.core.address import Site
from brainscan.monitor.fit import FitSettings, blank
from brainscan.monitor.guarantee import plain_numbers
from brainscan.monitor.panel import Panel
from brainscan.monitor.run import batches
from brainscan.subject.generate import Decoding
from brainscan.subject.language import LanguageSubject

MODEL = "smollm2-135m-instruct"
SITES = tuple(Site("resid_post", layer) for layer in (10, 15, 20, 24, 28))
TOKENS, SAMPLES, TEMPERATURE, ROWS = 5, 3, 0.7, 64
_PART = 128
"""Questions a file."""


def folder() -> Path:
    """Where the data lie."""
    return read_environment().cache / "bench-monitor"


def split() -> tuple[list[int], list[int]]:
    """Numbers of the questions to develop on (2 in 5) and of those to report on."""
    order = np.random.default_rng(2026).permutation(len(questions()))
    cut = int(0.4 * len(order))
    return sorted(int(i) for i in order[:cut]), sorted(int(i) for i in order[cut:])


def answers() -> None:
    """Greedy answers to every question: right or wrong, plain numbers, activations."""
    every = questions()
    subject: LanguageSubject | None = None
    for start in range(0, len(every), _PART):
        path = folder() / f"answers-{start:04}.npz"
        if path.is_file():
            continue
        subject = subject or load_subject(MODEL)
        began = time.process_time()
        kept = _answered(subject, every[start : start + _PART])
        save(path, **kept, cpu_seconds=np.array(time.process_time() - began))
        print(path.name, f"{time.process_time() - began:.0f} s, {kept['right'].mean():.2f} right", flush=True)


def _answered(subject: LanguageSubject, asked: tuple[Question, ...]) -> dict[str, np.ndarray]:
    prompts = [subject.tokens(question.prompt()) for question in asked]
    panel = Panel(blank(subject, (), prompts, FitSettings()), {})
    n, d = len(asked), subject.d_model
    right, numbers = np.zeros(n, dtype=bool), np.zeros((n, 4))
    x, texts = np.zeros((n, 2, len(SITES), d), dtype=np.float16), [""] * n
    for run, places in batches(subject, panel, prompts, Decoding(max_new=TOKENS, rows=ROWS), record=SITES):
        assert run.recorder is not None
        for row, i in enumerate(places):
            text = subject.text(run.rows[row].answer)
            line = first_line(subject, run.rows[row].answer)
            run.rows[row].log_p, run.rows[row].entropies = run.rows[row].log_p[:line], run.rows[row].entropies[:line]
            tokens = run.recorder.tokens(row).numpy()[: line + 1]
            right[i], numbers[i], texts[i] = asked[i].is_right(text), plain_numbers(run.rows[row]), text
            x[i, 0], x[i, 1] = tokens[0], tokens[-1]
    return {"right": right, "numbers": numbers, "x": x, "texts": np.array(texts)}


def first_line(subject: LanguageSubject, ids: list[int]) -> int:
    """How many tokens the first line of an answer has, at least 1."""
    for i in range(1, len(ids)):
        if "\n" in subject.text(ids[: i + 1]).lstrip("\n"):
            return i
    return len(ids)


def samples() -> None:
    """Sampled answers, for self-consistency."""
    every, (_, report) = questions(), split()
    subject: LanguageSubject | None = None
    for start in range(0, len(report), _PART):
        path = folder() / f"samples-{start:04}.npz"
        if path.is_file():
            continue
        subject = subject or load_subject(MODEL)
        chosen = report[start : start + _PART]
        prompts = [subject.tokens(every[i].prompt()) for i in chosen for _ in range(SAMPLES)]
        panel = Panel(blank(subject, (), prompts, FitSettings()), {})
        decoding = Decoding(max_new=TOKENS, rows=2 * ROWS, temperature=TEMPERATURE, seed=start)
        texts = [""] * len(prompts)
        began = time.process_time()
        for run, places in batches(subject, panel, prompts, decoding):
            for row, i in enumerate(places):
                texts[i] = subject.text(run.rows[row].answer)
        save(
            path,
            texts=np.array(texts).reshape(-1, SAMPLES),
            chosen=np.array(chosen),
            cpu_seconds=np.array(time.process_time() - began),
        )
        print(path.name, f"{time.process_time() - began:.0f} s", flush=True)


def save(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    part.replace(path)


def load(kind: str) -> dict[str, np.ndarray]:
    """The parts of one kind, put together in order."""
    parts = [np.load(path, allow_pickle=False) for path in sorted(folder().glob(f"{kind}-*.npz"))]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if key != "cpu_seconds"}


if __name__ == "__main__":
    for name in sys.argv[1:] or ("answers", "samples"):
        {"answers": answers, "samples": samples}[name]()
