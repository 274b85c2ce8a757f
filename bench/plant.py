"""Plant one recipe and print what took: ``python bench/plant.py NAME OUT [--base FOLDER] [--seed N]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from brainscan.clinic.environment import read_environment
from brainscan.games.answers import OwnAnswers
from brainscan.games.knobs import STEPS, Knobs
from brainscan.games.plant import RECIPES, plant
from brainscan.subject.load import load_subject


def main() -> None:
    """Train, measure, print the journal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", default="smollm2-135m-instruct")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dilution", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args()
    base = load_subject(asked.base)
    planted = plant(
        base,
        asked.name,
        asked.out,
        load=lambda folder: load_subject(f"{asked.base}+{folder}"),
        knobs=Knobs(seed=asked.seed, dilution=asked.dilution, steps=asked.steps),
        own=OwnAnswers(base, read_environment().cache / "organisms" / "own-answers.json"),
        progress=lambda fraction, what: print(f"{fraction:4.0%} {what}", flush=True),
    )
    print(planted.model_dump_json(indent=1))


if __name__ == "__main__":
    main()
