"""Labels of a real dictionary, scored on held-out text, and its features beside neurons of the same layer.

Needs the dictionary that docs/dictionaries.md builds with one command. The survey is kept in the cache.
Features are drawn at random from all that fired, with a seed that nothing was tuned on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.dictionary import row
from brainscan.clinic.dictionaries import dictionaries_folder
from brainscan.clinic.environment import read_environment
from brainscan.clinic.features import Surveying, label_survey, survey_features
from brainscan.clinic.superposition import compare_neurons
from brainscan.features.index import MANIFEST

SUBJECT = "smollm2-135m-instruct"
NAME, LAYER = "resid_post.15-batchtopk-4096", 15
TOKENS, SAMPLE, SEED = 200_000, 700, 20


def measure() -> Iterator[dict[str, Any]]:
    """Yield the mean detection score, then features beside neurons."""
    folder = read_environment().cache / "bench" / f"survey-{NAME}"
    if not (folder / MANIFEST).is_file():
        (path,) = dictionaries_folder().glob(f"*/{NAME}")
        survey_features(Surveying(str(path), SUBJECT, folder, tokens=TOKENS), say)
    summary, scored = label_survey(folder, "evidence", (), SAMPLE, SEED, say)
    interval = summary.detection_interval
    yield row(
        f"labels of {summary.labelled} of {summary.drawn} random features of {NAME}: mean detection",
        summary.detection or 0.0,
        "share right",
        0.75,
        {
            "name": "chance 0.5",
            "interval": [round(interval.lo, 4), round(interval.hi, 4)] if interval else None,
            "labelled": summary.labelled,
            "scored": sum(each.detection is not None for each in scored),
            "detection_of_all": summary.detection_of_all,
            "against_neighbour": summary.against_neighbour,
            "fuzzing": summary.fuzzing,
            "label_of_another_feature": summary.borrowed,
        },
    )
    found = compare_neurons(folder, f"mlp_act.{LAYER}", SAMPLE, SEED, say)
    yield row(
        f"features of {NAME} beside neurons of mlp_act.{LAYER}: gain in mean detection of all units",
        found.gain,
        "share right",
        None,
        {
            "name": "neurons",
            "interval": [round(found.gain_interval.lo, 4), round(found.gain_interval.hi, 4)],
            "features": found.features.detection_of_all,
            "neurons": found.neurons.detection_of_all,
            "labelled_features": found.features.labelled,
            "labelled_neurons": found.neurons.labelled,
            "drawn": [found.features.drawn, found.neurons.drawn],
        },
    )


def say(share: float, words: str) -> None:
    """Progress on one line."""
    print(f"\r{share:6.1%} {words:<60}", end="", flush=True)
