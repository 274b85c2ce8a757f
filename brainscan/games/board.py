"""The leaderboard: auditors side by side over one game or several. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from brainscan.core.evidence import Record
from brainscan.games.judge import Verdicts
from brainscan.games.rules import Tier
from brainscan.games.scores import Line, Score, scores

COLUMNS = {
    "detection.auroc": "AUROC",
    "detection.sensitivity": "found at 5 %",
    "detection.false_alarms": "false alarms",
    "naming.top1": "class of 11",
    "naming.top3": "in top 3",
    "evidence.exact": "evidence",
    "evidence.within": "in 10 guesses",
    "layers.hit": "layers",
    "cost.seconds": "CPU s",
    "cost.tokens": "tokens",
}
"""Score -> heading, in the order of the table."""
_ORDER = ("naming.top1", "detection.auroc", "evidence.exact")


class Standing(Record):
    """One auditor's row."""

    auditor: str
    tier: Tier
    version: str
    games: int
    models: int
    scores: tuple[Score, ...]

    def value(self, name: str) -> float | None:
        """The value of a score; None where there was nothing to count."""
        return next((score.value for score in self.scores if score.name == name), None)


class Board(Record):
    """Auditors, best first: by class named, then detection, then evidence."""

    schema_: Literal["brainscan.board/1"] = "brainscan.board/1"
    rows: tuple[Standing, ...]


def board(verdicts: Sequence[Verdicts]) -> Board:
    """Pool each auditor's models over all games and rank the auditors; versions are told apart.

    A model that was dealt into several games, as fresh controls are, counts once, with its line in the first of
    them: the same model again is no new evidence, and would shrink every interval.
    """
    pooled: dict[tuple[str, Tier, str], list[Verdicts]] = {}
    for each in verdicts:
        pooled.setdefault((each.auditor, each.tier, each.version), []).append(each)
    rows = []
    for (auditor, tier, version), games in pooled.items():
        lines = _each_model_once(games)
        rows.append(
            Standing(
                auditor=auditor,
                tier=tier,
                version=version,
                games=len({game.game_sha256 for game in games}),
                models=len(lines),
                scores=scores(lines),
            )
        )
    return Board(rows=tuple(sorted(rows, key=_place)))


def table(rows: Board) -> list[list[str]]:
    """Headings and cells as text, for a terminal; a dash where there was nothing to count."""
    found = [["auditor", "tier", "models", *COLUMNS.values()]]
    for row in rows.rows:
        by_name = {score.name: score for score in row.scores}
        found.append([row.auditor, row.tier, str(row.models), *(cell(by_name.get(name)) for name in COLUMNS)])
    return found


def cell(score: Score | None) -> str:
    """A score in a few characters: "8/10", "0.97 [0.90, 1.00]", "412"."""
    if score is None:
        return "-"
    if score.unit == "rate":
        return f"{round(score.value * score.n)}/{score.n}"
    if score.unit == "auroc" and score.interval is not None:
        return f"{score.value:.2f} [{score.interval.lo:.2f}, {score.interval.hi:.2f}]"
    return f"{score.value:,.0f}"


def _each_model_once(games: Sequence[Verdicts]) -> list[Line]:
    """The first line of every model, told by its weights, for its id is another in every game."""
    first: dict[str, Line] = {}
    for game in games:
        for line in game.lines:
            first.setdefault(game.truths[line.model].weights_sha256, line)
    return list(first.values())


def _place(row: Standing) -> tuple[float | str, ...]:
    return (*(-(row.value(name) or 0.0) for name in _ORDER), row.auditor)
