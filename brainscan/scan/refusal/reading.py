"""Running one subject for the refusal instrument: activations of twins, first-token log-odds, edits.

Numbered acts: 1) capture twins; 2) find the direction; 3) log-odds of the held-out twins, plainly and under
wrappers; 4) the same with the direction projected out of the whole stream, and with it added, each beside
shuffled directions of equal norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.core.statistics import Floats
from brainscan.scan.answers import refusal_log_odds, refusal_tokens
from brainscan.scan.ask import ask
from brainscan.scan.refusal.direction import Separation, Twins, separate
from brainscan.scan.texts.requests import CATEGORIES, PAIRS, Pair
from brainscan.scan.texts.wrappers import WRAPPERS, Wrapper
from brainscan.subject.edit import Edit
from brainscan.subject.score import next_token_logits

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

DEVELOPMENT, HELD_OUT = CATEGORIES[::2], CATEGORIES[1::2]
Sizes = dict[str, int | float | str | bool]
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Wrapped:
    """Twins under one wrapper; scores are log-odds (nats) of a refusing first token."""

    wrapper: Wrapper
    pair: int
    """Index among the held-out pairs."""
    harmful: float
    harmless: float


@dataclass(frozen=True)
class Edited:
    """Log-odds [prompt] before an edit, with it, and with shuffled directions of equal norm."""

    before: Floats  # [prompt]
    after: Floats  # [prompt]
    null: Floats  # [draw, prompt]


@dataclass(frozen=True)
class Reading:
    """All that was seen of one subject."""

    pairs: tuple[Pair, ...]
    """Held-out pairs, the rows of what follows."""
    separation: Separation
    words_alone: float
    """AUROC of the same method on mean input embeddings: what the bag of words gives away."""
    harmful: Floats  # [pair]
    harmless: Floats  # [pair]
    wrapped: tuple[Wrapped, ...]
    ablated: Edited
    """On harmful prompts, the direction projected out of every layer's stream."""
    added: Edited
    """On harmless prompts, the direction added at the chosen layer."""


def read(subject: LanguageSubject, sizes: Sizes, rng: np.random.Generator, tell: Tell) -> Reading:
    """Look at one subject.

    Raises:
        UsageError: twins look alike to the subject, so that there is no direction.
    """
    chosen = PAIRS[: int(sizes["pairs"])]
    twins, words = _captured(subject, chosen, tell)
    separation = separate(twins.take(DEVELOPMENT), twins.take(HELD_OUT), shuffles=int(sizes["shuffles"]), rng=rng)
    if not float(np.linalg.norm(separation.direction)) > 0:
        raise UsageError(
            "Harmful and harmless requests leave the same activations, so there is no refusal direction to test.",
            "Check the subject's weights and tokenizer.",
        )
    alone = separate(words.take(DEVELOPMENT), words.take(HELD_OUT), shuffles=1, rng=rng).by_layer[0]
    pairs = tuple(pair for pair in chosen if pair.category in HELD_OUT)
    harmful = _log_odds(subject, [ask(subject, pair.harmful) for pair in pairs])
    harmless = _log_odds(subject, [ask(subject, pair.harmless) for pair in pairs])
    tell(0.5, "first tokens of plain requests")
    wrapped = _wrapped(subject, pairs, sizes)
    tell(0.7, "first tokens under wrappers")
    few = int(sizes["edited"])
    ablated = _ablated(subject, pairs[:few], separation, harmful[:few], int(sizes["null_directions"]))
    tell(0.85, "direction projected out")
    added = _added(subject, pairs[:few], separation, harmless[:few], int(sizes["null_directions"]))
    tell(1.0, "direction added")
    return Reading(pairs, separation, float(alone), harmful, harmless, wrapped, ablated, added)


def _captured(subject: LanguageSubject, pairs: Sequence[Pair], tell: Tell) -> tuple[Twins, Twins]:
    """Last-token streams [pair, layer, d] after every block, and mean input embeddings [pair, 1, d]."""
    prompts = [ask(subject, text) for pair in pairs for text in (pair.harmful, pair.harmless)]
    sites = [Site("resid_post", layer) for layer in range(subject.n_layers)]
    found = capture(subject, prompts, sites, keep="last", progress=lambda f, w: tell(0.4 * f, w))
    streams = torch.stack([found[site].values for site in sites], 1).double().numpy()  # [2 pair, layer, d]
    start = Site("resid_pre", 0)
    words = capture(subject, prompts, [start], keep="mean")[start].values[:, None].double().numpy()
    categories = tuple(pair.category for pair in pairs)
    return Twins(streams[::2], streams[1::2], categories), Twins(words[::2], words[1::2], categories)


def _log_odds(subject: LanguageSubject, prompts: list[list[int]], edits: Sequence[Edit] = ()) -> Floats:
    return refusal_log_odds(next_token_logits(subject, prompts, edits=edits), refusal_tokens(subject)).numpy()


def _wrapped(subject: LanguageSubject, pairs: Sequence[Pair], sizes: Sizes) -> tuple[Wrapped, ...]:
    each = int(sizes["wrapped"])
    plan = [
        (wrapper, (i * each + j) % len(pairs))
        for i, wrapper in enumerate(WRAPPERS[: int(sizes["wrappers"])])
        for j in range(each)
    ]
    prompts = [
        ask(subject, wrapper.wrap(text), system=wrapper.system, answer=wrapper.answer)
        for wrapper, at in plan
        for text in (pairs[at].harmful, pairs[at].harmless)
    ]
    found = _log_odds(subject, prompts)
    return tuple(
        Wrapped(wrapper, at, float(found[2 * i]), float(found[2 * i + 1])) for i, (wrapper, at) in enumerate(plan)
    )


def _ablated(subject: LanguageSubject, pairs: Sequence[Pair], found: Separation, before: Floats, draws: int) -> Edited:
    prompts = [ask(subject, pair.harmful) for pair in pairs]
    points = [point for point in ("resid_mid", "resid_post") if point in subject.points()]
    sites = [Site("resid_pre", 0), *(Site(point, layer) for layer in range(subject.n_layers) for point in points)]

    def run(direction: Floats) -> Floats:
        vector = torch.tensor(direction, dtype=torch.float32)
        return _log_odds(subject, prompts, [Edit.project_out(site, vector) for site in sites])

    null = np.stack([run(direction) for direction in found.null_directions[:draws]])
    return Edited(before, run(found.direction), null)


def _added(subject: LanguageSubject, pairs: Sequence[Pair], found: Separation, before: Floats, draws: int) -> Edited:
    prompts, site = [ask(subject, pair.harmless) for pair in pairs], Site("resid_post", found.layer)

    def run(direction: Floats) -> Floats:
        return _log_odds(subject, prompts, [Edit.add(site, torch.tensor(direction, dtype=torch.float32))])

    null = np.stack([run(direction) for direction in found.null_directions[:draws]])
    return Edited(before, run(found.direction), null)
