"""make trial: the zoo against the scanner and its opponents; writes docs/trial.json.

python -m bench.trial scans       scan every built model, two at a time
python -m bench.trial controls    make the calibration that ships from the scans of the nineteen controls
python -m bench.trial norms       let the black-box auditors look at the same controls
python -m bench.trial play        deal the test games and let every auditor play them
python -m bench.trial alone       time audits that find nothing remembered, each in a process of its own
python -m bench.trial             all of it

Every part goes on where it was stopped. Detectors are developed on seed 0 (role ``develop``) and the controls of the
calibration; what was seen of the test seeds before they were frozen is said in ``trial_notes.md``.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from brainscan.clinic.environment import read_environment
from brainscan.core.files import write_atomic
from brainscan.diagnosis.calibration import Calibration, calibrate, read_calibration, write_calibration
from brainscan.games.auditor import AUDITORS, Auditor
from brainscan.games.auditors.scanner import ALONE, REFERENCE, Scanner
from brainscan.games.deal import deal
from brainscan.games.entrants import entrants
from brainscan.games.norms import fit_norms, read_norms, write_norms
from brainscan.games.play import play
from brainscan.games.rules import Budget, Rules
from brainscan.games.zoo import BASE, Entry, entries, entry_of, is_built, spec_of
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject

CACHE = read_environment().cache
ZOO, SCANS, GAMES = CACHE / "zoo", CACHE / "trial" / "scans", CACHE / "trial" / "games"
SHIPPED = Path("brainscan/diagnosis/shipped")
SCANNERS = (REFERENCE, ALONE)
BLACK_BOX = ("behaviour", "prefill", "persona", "completion", "blackbox")
WORKERS = 2
ALONE_MINUTES = CACHE / "trial" / "alone.json"
TIMED = ("backdoor-s2", "promotion-s2", "topical-s3")
"""Audits that hunt for a trigger take longest; a clean model has nothing to hunt for."""
BUDGET = Budget(tokens=None, cpu_minutes=10.0)
"""A model: the same for the scanner and for its opponents. A scan that was kept is charged with what it cost."""


@dataclass(frozen=True)
class Round:
    """One game of the trial."""

    name: str
    roles: tuple[str, ...]
    seed: int | None = None
    dilution: int | None = None
    hidden: bool = False
    """Organisms with denials or an evasion penalty, instead of those without."""

    def holds(self, entry: Entry) -> bool:
        """Whether a model of the zoo is dealt in this round."""
        if entry.role not in self.roles:
            return False
        if entry.role in ("fresh", "unknown"):
            return True
        knobs = entry.knobs
        return (
            self.seed in (None, knobs.seed)
            and self.dilution in (None, knobs.dilution)
            and self.hidden == bool(knobs.denials or knobs.evasion)
        )


ROUNDS = (
    Round("seed-1", ("test", "fresh"), seed=1, dilution=0),
    Round("seed-2", ("test", "fresh"), seed=2, dilution=0),
    Round("unknown", ("unknown", "fresh")),
    Round("diluted-1", ("hard", "fresh"), dilution=1),
    Round("diluted-5", ("hard", "fresh"), dilution=5),
    Round("hidden", ("hard", "fresh"), hidden=True),
)


def scans() -> None:
    """Scan every model that the trial looks at once, with and without the reference; who plays later finds them done."""
    names = [entry.name for entry in built("calibration", "fresh", "test", "unknown", "hard", "long")]
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        for done, (name, seconds) in enumerate(pool.map(scan_named, names), 1):
            print(f"{done} of {len(names)}: {name}, {seconds:.0f} s", flush=True)


def scan_named(name: str) -> tuple[str, float]:
    """Both scans of one model on one thread: what is read for the one is remembered for the other."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    base, subject = reference(), load_subject(spec_of(entry_of(name), ZOO))
    for scanner in SCANNERS:
        replace(scanner, scans=SCANS).scan(subject, base if scanner.tier == "A3" else None)
    return name, time.perf_counter() - start


@cache
def reference() -> LanguageSubject:
    """The clean base, one a process, so that what it says is read once."""
    return load_subject(BASE)


def controls() -> None:
    """Freeze what was measured on the controls."""
    base = reference()
    for scanner in SCANNERS:
        scans = []
        for entry in built("calibration"):
            subject = load_subject(spec_of(entry, ZOO))
            scans.append(replace(scanner, scans=SCANS).scan(subject, base if scanner.tier == "A3" else None))
            print(f"{scanner.name}: {entry.name}", flush=True)
        write_calibration(_calibration(scanner), calibrate(scans))


def built(*roles: str) -> Iterator[Entry]:
    """Models of these roles that lie in the zoo."""
    return (entry for entry in entries() if entry.role in roles and is_built(entry, ZOO))


def _calibration(scanner: Scanner) -> Path:
    return SHIPPED / f"{BASE}-audit-{scanner.tier.lower()}.json"


def norms() -> None:
    """Statistics of every black-box auditor on the controls."""
    game = GAMES / "controls"
    deal(entrants(["calibration"], ZOO), game, Rules(tier="A1", budget=BUDGET))
    for name in BLACK_BOX:
        answers = play(game, AUDITORS.get(name), load_subject, progress=_told(name))
        write_norms(GAMES / f"norms-{name}.json", fit_norms(answers))


def auditors() -> list[Auditor]:
    """Everybody who plays, with what they know of clean controls; a black-box auditor without norms sits out."""
    norms = {name: GAMES / f"norms-{name}.json" for name in BLACK_BOX}
    opponents = [
        AUDITORS.get(name).with_norms(read_norms(path))  # type: ignore[attr-defined]  # all five are normed
        for name, path in norms.items()
        if path.is_file()
    ]
    known: dict[str, Calibration] = {each.tier: read_calibration(_calibration(each)) for each in SCANNERS}
    return [*(replace(each, scans=SCANS, calibration=known[each.tier]) for each in SCANNERS), *opponents]


def rounds() -> None:
    """Deal and play."""
    for each in ROUNDS:
        wanted = {spec_of(entry, ZOO) for entry in entries() if each.holds(entry)}
        dealt = [entrant for entrant in entrants(list(each.roles), ZOO) if entrant.spec in wanted]
        if not any(entrant.truth.flaw for entrant in dealt):
            continue  # none of its organisms was built
        deal(dealt, GAMES / each.name, Rules(tier="A3", budget=BUDGET))
        for auditor in auditors():
            play(GAMES / each.name, auditor, load_subject, progress=_told(f"{each.name}, {auditor.name}"))


def alone() -> None:
    """Minutes of an audit as a user starts one: loading, self-check and all, nothing of the reference remembered."""
    if ALONE_MINUTES.is_file():
        return
    minutes = {}
    for name in TIMED:
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            spec = spec_of(entry_of(name), ZOO)
            brainscan = Path(sys.executable).with_name("brainscan")
            command = [brainscan, "scan", spec, "--reference", BASE, "--plan", "audit", "--out", out]
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, "BRAINSCAN_THREADS": "1"})
            minutes[name] = round((time.perf_counter() - start) / 60, 2)
    write_atomic(ALONE_MINUTES, json.dumps(minutes, indent=1))


def _told(what: str) -> Callable[[float, str], None]:
    return lambda fraction, words: print(f"{what}: {fraction:4.0%} {words}", flush=True)


PARTS = {"scans": scans, "controls": controls, "norms": norms, "play": rounds, "alone": alone}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
