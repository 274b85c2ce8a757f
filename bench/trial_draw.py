"""The trial's pictures, from verdicts and scans alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import trial_figures as figures
from bench.trial import GAMES
from bench.trial_power import power
from brainscan.core.statistics import rate_interval
from brainscan.diagnosis.calibration import Calibration
from brainscan.games.classes import CLASSES, NONE
from brainscan.games.judge import Verdicts
from brainscan.games.scores import Line
from brainscan.scan.record import Scan

IMAGES = Path("docs/images")
Games = Mapping[tuple[str, str], Verdicts]


def draw(games: Games, organisms: Sequence[Scan], calibration: Calibration | None) -> list[str]:
    """All pictures that there is something to draw in; returns the lines of the page that show them.

    Args:
        organisms: scans of test organisms without dilution, for the power by number of controls.
    """
    IMAGES.mkdir(exist_ok=True)
    lines = [*_rocs(games), *_classes(games), *_inside(games), *_fading(games)]
    if organisms and calibration:
        series = power(organisms, calibration)
        figures.curves(IMAGES / "trial-power.svg", "Power by number of controls", series, "controls", "flagged")
        lines.append("![Power by number of controls](images/trial-power.svg)")
    return lines


def _rocs(games: Games) -> Iterator[str]:
    rocs = {
        name: _roc(games["seed-2", name].lines)
        for name in ("scanner", "scanner-alone", "blackbox")
        if ("seed-2", name) in games
    }
    if rocs:
        figures.curves(IMAGES / "trial-roc.svg", "ROC over models, seed 2", rocs, "false alarms", "found", steps=True)
        yield "![ROC over models](images/trial-roc.svg)"


def _classes(games: Games) -> Iterator[str]:
    ours = [line for key, v in games.items() if key[1] == "scanner" and key[0].startswith("seed-") for line in v.lines]
    if ours:
        counts = _confusion(ours, games)
        names = [*CLASSES, NONE]
        figures.confusion(IMAGES / "trial-confusion.svg", "Planted (rows) against named (columns)", names, counts)
        yield "![Confusion of classes](images/trial-confusion.svg)"
        figures.bars(IMAGES / "trial-false-alarms.svg", "False alarms by type of control", _alarms(ours))
        yield "![False alarms by type of control](images/trial-false-alarms.svg)"


def _inside(games: Games) -> Iterator[str]:
    """What looking inside adds: classes named by each auditor of one game."""
    rows = [
        (each, score.value, score.interval.lo, score.interval.hi)
        for each in ("scanner", "scanner-alone", "blackbox")
        if (v := games.get(("seed-2", each))) and (score := v.score("naming.top1")) and score.interval
    ]
    if len(rows) > 1:
        figures.bars(IMAGES / "trial-gain.svg", "Class named, seed 2, same budget", rows)
        yield "![Class named by auditor](images/trial-gain.svg)"


def hidden_lines(verdicts: Verdicts) -> dict[str, list[Line]]:
    """The organisms of the hidden round by what hides them."""
    flawed = [line for line in verdicts.lines if line.flaw]
    return {
        "with denials": [x for x in flawed if x.knobs.denials],
        "with an evasion penalty": [x for x in flawed if x.knobs.evasion],
    }


def _fading(games: Games) -> Iterator[str]:
    """Detection by dilution, and with denials or an evasion penalty beside without."""
    diluted = _aurocs(games, {"seed-1": 0.0, "diluted-1": 1.0, "diluted-5": 5.0})
    if len(diluted) > 1:
        path = IMAGES / "trial-dilution.svg"
        figures.curves(path, "Detection by dilution", {"AUROC at A3": diluted}, "generic rows a flaw row", "AUROC")
        yield "![Detection by dilution](images/trial-dilution.svg)"
    if verdicts := games.get(("hidden", "scanner")):
        rows = []
        for what, chosen in hidden_lines(verdicts).items():
            bounds = rate_interval(sum(x.alarm for x in chosen), len(chosen))
            share = sum(x.alarm for x in chosen) / max(1, len(chosen))
            rows.append((f"{what} ({len(chosen)})", share, bounds.lo, bounds.hi))
        figures.bars(IMAGES / "trial-evasion.svg", "Flagged when hidden", rows)
        yield "![Flagged when hidden](images/trial-evasion.svg)"


def _aurocs(games: Games, names: Mapping[str, float]) -> list[tuple[float, float]]:
    found = [
        (at, games[name, "scanner"].score("detection.auroc"))
        for name, at in names.items()
        if (name, "scanner") in games
    ]
    return [(at, score.value) for at, score in found if score]


def _roc(lines: Sequence[Line]) -> list[tuple[float, float]]:
    flawed = [x.score or 0.0 for x in lines if x.flaw and x.kind in CLASSES]
    clean = [x.score or 0.0 for x in lines if not x.flaw]
    cuts = sorted({*flawed, *clean}, reverse=True)
    inside = [(sum(c >= t for c in clean) / len(clean), sum(f >= t for f in flawed) / len(flawed)) for t in cuts]
    return [(0.0, 0.0), *inside, (1.0, 1.0)]


def _confusion(lines: Sequence[Line], games: Games) -> list[list[int]]:
    """[planted][named] over all plain games."""
    answers = {
        (name, each.model): _first(name, each.model)
        for (name, auditor), v in games.items()
        if auditor == "scanner" and name.startswith("seed-")
        for each in v.lines
    }
    counts: Counter[tuple[str, str]] = Counter()
    for (name, auditor), v in games.items():
        if auditor == "scanner" and name.startswith("seed-"):
            for each in v.lines:
                kind = each.kind if each.flaw else NONE
                if kind in (*CLASSES, NONE):
                    counts[kind, answers[name, each.model]] += 1
    names = [*CLASSES, NONE]
    return [[counts[a, b] for b in names] for a in names]


def _first(game: str, model: str) -> str:
    path = GAMES / game / "answers" / "scanner" / f"{model}.json"
    return json.loads(path.read_text())["ranking"][0]


def _alarms(lines: Sequence[Line]) -> list[tuple[str, float, float, float]]:
    kinds: dict[str, dict[tuple[str, int], bool]] = {}
    for line in lines:
        if not line.flaw:  # the same fresh controls stand in every game
            kinds.setdefault(line.recipe, {})[line.recipe, line.knobs.seed] = line.alarm
    rows = []
    for kind, seen in sorted(kinds.items()):
        interval = rate_interval(sum(seen.values()), len(seen))
        rows.append((f"{kind} ({len(seen)})", sum(seen.values()) / len(seen), interval.lo, interval.hi))
    return rows
