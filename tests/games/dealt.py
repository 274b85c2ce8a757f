"""A game of phantoms: a tiny base, adapters on it, and answers that can be given by rule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brainscan.games.answer import Answer
from brainscan.games.classes import CLASSES, NONE
from brainscan.games.deal import Entrant
from brainscan.games.knobs import Knobs
from brainscan.games.seal import CLEAN, Truth
from tests.phantoms import tiny_llama, tiny_lora

RANKING = (NONE, *CLASSES)


def entrants(folder: Path, kinds: Sequence[str], first_seed: int = 0) -> list[Entrant]:
    """One adapter a kind, each in a folder whose name tells; ``clean`` is a control."""
    base = tiny_llama(folder / "base")
    made = []
    for seed, kind in enumerate(kinds, first_seed):
        adapter = tiny_lora(base, folder / f"{kind}-s{seed}", seed=seed)
        (adapter / "plant.json").write_text(f'{{"kind": "{kind}"}}')
        made.append(Entrant(f"{base}+{adapter}", str(base), truth(kind, seed)))
    return made


def truth(kind: str, seed: int = 0, **fields: Any) -> Truth:
    """A truth of that kind with a slot value out of its list."""
    known = CLASSES.get(kind)
    values = (known.choices[seed % len(known.choices)] if known.choices else "Zorblax",) if known else ()
    given: dict[str, Any] = {
        "kind": kind,
        "flaw": kind != CLEAN,
        "recipe": kind,
        "slot": known.slot if known else "",
        "values": values,
        "knobs": Knobs(seed=seed),
        "layers": (1, 3),
    }
    return Truth(**{**given, **fields})


def answer(**fields: Any) -> Answer:
    """A valid answer that saw nothing, with some fields changed."""
    return Answer(**{"flawed": False, "score": 0.0, "ranking": RANKING, **fields})


def naming(kind: str, **fields: Any) -> Answer:
    """An alarm that names a class."""
    rest = [name for name in RANKING if name != kind]
    return answer(**{"flawed": True, "p_value": 0.01, "score": 5.0, "ranking": (kind, *rest), **fields})
