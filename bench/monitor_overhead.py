"""What three monitors cost in generation: tokens a second with them over without, in turns, in one process.

Seconds are CPU seconds of one thread, so that what else runs on the machine disturbs them little.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bench.monitor import row
from bench.monitor_prompts import traffic
from brainscan import load_subject
from brainscan.monitor.fit import FitSettings, Lesson, fit
from brainscan.monitor.panel import Panel
from brainscan.monitor.record import Rule
from brainscan.monitor.run import watch_all
from brainscan.subject.generate import Decoding, generate

SITES = ("resid_post.15", "resid_post.20", "resid_post.25")
TOKENS, TURNS = 24, 4


def overhead() -> list[dict[str, Any]]:
    """Median of the ratios of neighbouring turns, at batch 1."""
    subject = load_subject("smollm2-135m-instruct")
    texts = traffic(36, 5)
    clean = [subject.chat(text) for text in texts]
    lessons = [
        Lesson(Rule(name="distance", kind="distance", title="Far.", sites=SITES)),
        Lesson(Rule(name="certainty", kind="certainty", title="Recited.")),
        Lesson(Rule(name="probe", kind="probe", title="Taught.", sites=SITES), clean[:6], clean[6:12]),
    ]
    # Only the cost is measured here, so the promise is as cheap as can be.
    settings = FitSettings(rate=0.2, confidence=None, decoding=Decoding(max_new=4, rows=32))
    panel = Panel(*fit(subject, clean, lessons, settings))
    return [_ratio(subject, panel, clean, 1)]


def _ratio(subject: Any, panel: Panel, clean: list[list[int]], batch: int) -> dict[str, Any]:
    decoding = Decoding(max_new=TOKENS, stop_at_end=False)
    ratios, speeds = [], []
    for turn in range(TURNS):
        prompts = clean[turn * batch : (turn + 1) * batch]
        plain = _seconds(lambda given=prompts: generate(subject, given, decoding))
        watched = _seconds(lambda given=prompts: watch_all(subject, panel, given, decoding, enforce=False))
        ratios.append(plain / watched)
        speeds.append(batch * TOKENS / watched)
    return row(
        f"tokens a second with three monitors over without, batch {batch}",
        float(np.median(ratios)),
        "ratio",
        "higher",
        0.95,
        n=len(ratios),
        interval={"lo": min(ratios), "hi": max(ratios), "method": "range over turns", "level": 1.0},
        detail=f"CPU time of one thread; {np.median(speeds):.1f} tokens a CPU second with monitors",
    )


def _seconds(call: Any) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
