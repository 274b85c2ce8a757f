"""A survey whose features are known: what each fires on is decided here, not learned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brainscan.features.index import About, FeatureIndex, Logits, Neighbours

_TEXT = (
    "the of and to in a that it was he for on are with as his they at be this from or had by not word but what some we "
    "can out other were all there when up use your how said an each she which do their time if will way about many then "
    "them write would like so these her long make thing see him two has look more day could go come did number sound no "
    "most people my over know water than call first who may down side been now find walking talking singing running ship "
    "sea whale sail captain Paris London Rome Berlin"
)
VOCABULARY = (*(f" {word}" for word in _TEXT.split()), ".", ",", "\n", " 7", " 19", "<s>")
CONTEXT = 64
Fires = Callable[[list[str], int], float]


def stops(words: list[str], i: int) -> float:
    """Fires on full stops."""
    return 3.0 if words[i] == "." else 0.0


def endings(words: list[str], i: int) -> float:
    """Fires on -ing."""
    return 2.0 if words[i].endswith("ing") else 0.0


def after_the(words: list[str], i: int) -> float:
    """Fires on what follows "the"."""
    return 1.5 if i and words[i - 1] == " the" else 0.0


def sea_talk(words: list[str], i: int) -> float:
    """Fires on commas once the sea came up."""
    return 1.0 if words[i] == "," and any(w in (" sea", " ship", " whale") for w in words[max(0, i - 20) : i]) else 0.0


def cities(words: list[str], i: int) -> float:
    """Fires on four names."""
    return 4.0 if words[i].strip() in ("Paris", "London", "Rome", "Berlin") else 0.0


def never(words: list[str], i: int) -> float:
    """A dead feature."""
    return 0.0


def noise(seed: int) -> Fires:
    """Fires anywhere, by chance: no label can be right."""
    rng = np.random.default_rng(seed)
    return lambda words, i: float(rng.random() < 0.02)


FEATURES: tuple[Fires, ...] = (stops, endings, after_the, sea_talk, cities, never, noise(1))


def planted(rows: int = 500, seed: int = 0, features: tuple[Fires, ...] = FEATURES) -> FeatureIndex:
    """The survey, values jittered so that ties are rare."""
    rng = np.random.default_rng(seed)
    chances = 1 / (np.arange(len(VOCABULARY)) + 12.0)
    tokens = rng.choice(len(VOCABULARY), size=(rows, CONTEXT), p=chances / chances.sum()).astype(np.int32)
    where: list[list[int]] = [[] for _ in features]
    values: list[list[float]] = [[] for _ in features]
    for row in range(rows):
        words = [VOCABULARY[i] for i in tokens[row]]
        for f, fires in enumerate(features):
            for i in range(1, CONTEXT):
                if value := fires(words, i):
                    where[f].append(row * CONTEXT + i)
                    values[f].append(value * float(rng.uniform(0.5, 1.5)))
    counts = np.ones(tokens.shape, bool)
    counts[:, 0] = False
    n = len(features)
    near = np.array([[(f + 1) % n, (f + 2) % n] for f in range(n)], np.int32)
    raised = np.tile(np.arange(3, dtype=np.int32), (n, 1))
    return FeatureIndex(
        About(
            subject="phantom",
            subject_sha256="0" * 64,
            dictionary="planted",
            reads=("resid_post.1",),
            writes=("resid_post.1",),
            source="drawn",
            source_sha256="1" * 64,
            n_features=n,
            context=CONTEXT,
            counted=int(counts.sum()),
        ),
        tokens=tokens,
        counts=counts,
        offsets=np.cumsum([0, *map(len, where)]),
        where=np.array([p for part in where for p in part], np.int32),
        values=np.array([v for part in values for v in part], np.float32),
        logits=Logits(raised, np.ones(raised.shape), raised, -np.ones(raised.shape)),
        neighbours=Neighbours(near, np.full(near.shape, 0.5)),
        vocabulary=VOCABULARY,
    )
