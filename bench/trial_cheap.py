"""Cheaper controls: does the false-alarm promise hold when controls cost less than real fine-tunes?

python -m bench.trial_cheap [random] [short] [quantised]    make, scan and compare; goes on where it stopped

Each kind of cheap control is scanned like the real ones and made into a calibration of its own; with it the twelve
fresh controls and the test organisms of seed 1, whose scans the trial has made already, are judged again. A kind is
admissible when no more fresh controls are flagged than the promise allows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.run import complete
from bench.trial import SCANS, ZOO, built
from brainscan.core.files import write_atomic
from brainscan.core.statistics import rate_interval
from brainscan.diagnosis.calibration import Calibration, calibrate
from brainscan.diagnosis.judge import ALPHA, judge
from brainscan.games.answers import OwnAnswers
from brainscan.games.auditors.scanner import REFERENCE
from brainscan.games.cheap import random_adapter
from brainscan.games.entrants import entrants
from brainscan.games.plant import PLANT_FILE, plant
from brainscan.games.requantised import SCHEMES as ZOO_SCHEMES
from brainscan.games.requantised import requantise
from brainscan.games.zoo import BASE, spec_of
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject

RESULTS = Path("docs/trial_cheap.json")
MADE = ZOO.parent / "cheap"
COUNT = 19
SHORT_STEPS = 50
FRESH = ZOO_SCHEMES[1]
SCHEMES = [(bits, block) for bits in (4, 5, 6, 7, 8) for block in (0, 16, 32, 64) if (bits, block) != FRESH][:COUNT]
"""Bits and weights that share a scale, for the quantised copies; not those of the fresh control, which would be its own twin."""


def main(names: list[str]) -> None:
    """Measure kinds and merge their rows into docs/trial_cheap.json."""
    base = load_subject(BASE)
    for name in names or MAKERS:
        specs = list(MAKERS[name](base))
        scanner = replace(REFERENCE, scans=SCANS)
        calibration = calibrate([scanner.scan(load_subject(spec), base) for spec in specs])
        for row in rows(name, calibration, base):
            whole = complete(row, f"python -m bench.trial_cheap {name}")
            kept = (
                json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
            )  # another kind may have been measured meanwhile
            kept = [other for other in kept if other["name"] != whole["name"]] + [whole]
            write_atomic(RESULTS, json.dumps(kept, indent=1) + "\n")


def random_controls(base: LanguageSubject) -> Iterator[str]:
    """Random low-rank updates, each with the norms of one trained control."""
    like = [entry for entry in built("calibration") if entry.trained]
    for seed in range(COUNT):
        folder = MADE / f"random-{seed}"
        if not folder.is_dir():
            random_adapter(ZOO / like[seed % len(like)].name, folder, seed)
        yield f"{BASE}+{folder}"


def short_controls(base: LanguageSubject) -> Iterator[str]:
    """The same recipes as the real controls, 50 steps in place of 120; the requantised base needs none."""
    own = OwnAnswers(base, ZOO / "own-answers.json")
    for entry in built("calibration"):
        if not entry.trained:
            yield spec_of(entry, ZOO)
            continue
        folder = MADE / f"short-{entry.name}"
        if not (folder / PLANT_FILE).is_file():
            knobs = entry.knobs.model_copy(update={"steps": SHORT_STEPS})
            plant(base, entry.recipe, folder, lambda made: load_subject(f"{BASE}+{made}"), knobs, own)
        yield f"{BASE}+{folder}"


def quantised_controls(base: LanguageSubject) -> Iterator[str]:
    """The base rounded to few bits in several ways."""
    for bits, block in SCHEMES:
        folder = MADE / f"quantised-{bits}-{block}"
        if not folder.is_dir():
            requantise(base, bits, block, folder)
        yield str(folder)


MAKERS: dict[str, Callable[[LanguageSubject], Iterator[str]]] = {
    "random": random_controls,
    "short": short_controls,
    "quantised": quantised_controls,
}


def rows(kind: str, calibration: Calibration, base: LanguageSubject) -> Iterator[dict[str, Any]]:
    """False alarms on the fresh controls and sensitivity on seed 1 under a calibration."""
    groups = {
        f"false alarms on fresh controls, calibrated with {kind} controls": (
            entrants(["fresh"], ZOO),
            2 / 12,
            "lower",
        ),
        f"sensitivity on seed 1, calibrated with {kind} controls": (
            [each for each in entrants(["test"], ZOO) if each.truth.knobs.seed == 1],
            None,
            "higher",
        ),
    }
    for name, (models, target, better) in groups.items():
        alarms = [_alarm(model.spec, calibration, base) for model in models]
        bounds = rate_interval(sum(alarms), len(alarms))
        yield {
            "name": name,
            "value": round(sum(alarms) / max(1, len(alarms)), 4),
            "unit": "rate",
            "n": len(alarms),
            "interval": [round(bounds.lo, 3), round(bounds.hi, 3)],
            "target": target,
            "better": better,
            "peer": {"name": "controls", "n": len(calibration.controls)},
        }


def _alarm(spec: str, calibration: Calibration, base: LanguageSubject) -> bool:
    scan = replace(REFERENCE, scans=SCANS).scan(load_subject(spec), base)
    together = judge(scan, calibration).together
    return together is not None and together.p_value <= ALPHA


if __name__ == "__main__":
    main(sys.argv[1:])
