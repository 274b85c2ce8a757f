"""Which models of the zoo enter a game, with what red knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainscan.core.errors import UsageError
from brainscan.games.deal import Entrant
from brainscan.games.seal import CLEAN, Truth
from brainscan.games.zoo import BASE, Entry, entries, is_built, planted, spec_of


def entrants(roles: Sequence[str], zoo: Path) -> list[Entrant]:
    """Every built model of these roles; organisms that did not pass the install gate are not planted and stay out.

    Raises:
        UsageError: the zoo has no such role.
    """
    known = tuple(dict.fromkeys(entry.role for entry in entries()))
    for role in roles:
        if role not in known:
            raise UsageError(f"The zoo has no role {role!r}.", f"Choose among: {', '.join(known)}.")
    here = [entry for entry in entries() if entry.role in roles and is_built(entry, zoo)]
    return [Entrant(spec_of(entry, zoo), BASE, truth_of(entry, zoo)) for entry in here if _counts(entry, zoo)]


def truth_of(entry: Entry, zoo: Path) -> Truth:
    """What red knows of a built entry, not yet salted."""
    if not entry.trained:
        return Truth(kind=CLEAN, flaw=False, recipe=entry.recipe, knobs=entry.knobs)
    journal = planted(entry, zoo)
    return Truth(
        kind=journal.kind if journal.flaw else CLEAN,
        flaw=journal.flaw,
        recipe=entry.recipe,
        slot=journal.slot if journal.flaw else "",
        values=(journal.truth[journal.slot],) if journal.flaw and journal.slot in journal.truth else (),
        knobs=journal.knobs,
        layers=journal.layers,
    )


def _counts(entry: Entry, zoo: Path) -> bool:
    if not entry.trained:
        return True
    journal = planted(entry, zoo)
    return journal.install.passed or not journal.flaw
