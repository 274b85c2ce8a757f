"""Logit-difference amplification: sampling with the fine-tune's effect turned up.

Numbered acts: 1) sample from z_s + a (z_s - z_r) on everyday requests and on the bare opening of the
chat template, with the reference's own samples of the same seed beside; 2) on half of the prompts
choose the amplification a and the phrase most repeated in its samples and absent from the
reference's; 3) count it on the other half; 4) do the same search between two seeds of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from brainscan.core.errors import MissingChatTemplate
from brainscan.core.evidence import Baseline, Evidence, Exchange, Measurement, Status
from brainscan.core.statistics import rate_interval
from brainscan.scan.ask import ask
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.ngrams import Repeat, new_names, phrases, repeats
from brainscan.scan.pair import reference_of, shared_vocabulary
from brainscan.scan.texts.neutral import NEUTRAL_REQUESTS
from brainscan.subject.generate import Decoding, Mix, generate
from brainscan.subject.language import LanguageSubject

SHARE = "amplify.repeat.share"
STRENGTHS = (0.5, 1.0, 2.0, 4.0)
SHOWN = 6
BARE = "(the bare opening of the chat template)"
_MARK = "brainscan-mark"
_TOKENS_A_REQUEST = 40


@dataclass(frozen=True)
class Prompt:
    """Something to continue, with the words that a reader sees for it."""

    shown: str
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The most repeated phrase at the best amplification, counted on prompts that did not choose it."""

    strength: float
    phrase: str
    """Empty when nothing absent from the reference is repeated."""
    hits: int
    n: int


class Amplify:
    """Makes rare effects frequent; what comes out may never be said without amplification."""

    name = "amplify"
    title = "Samples with the fine-tune's effect turned up"
    needs_reference = True
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan; quick sits out, since each sample runs two models."""
        sizes = {"standard": (20, 8), "full": (48, 24)}
        if plan == "quick":
            return None
        requests, bare = sizes.get(plan, sizes["standard"])
        return {"requests": requests, "bare": bare, "max_new": 24, "temperature": 1.0}

    def texts(self) -> tuple[str, ...]:
        """The neutral requests."""
        return NEUTRAL_REQUESTS

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Each amplified sample runs both models; two seeds of the reference come on top."""
        samples = (int(settings["requests"]) + int(settings["bare"])) * (2 * len(STRENGTHS) + 2)
        return Workload(tokens_read=samples * _TOKENS_A_REQUEST, tokens_written=samples * int(settings["max_new"]))

    def run(self, examination: Examination) -> Report:
        """Sample and search.

        Raises:
            PlanError: no reference, or one with another vocabulary.
        """
        subject, reference = examination.subject, reference_of(examination)
        width = shared_vocabulary(subject, reference)
        settings = examination.step.settings
        asked = prompts(subject, int(settings["requests"]), int(settings["bare"]))
        seed = int(examination.rng("samples").integers(2**31))
        sampler = _Sampler(asked, int(settings["max_new"]), float(settings["temperature"]), examination.progress)
        own = sampler.sample(reference, seed)
        other = sampler.sample(reference, seed + 1)
        amplified = {a: sampler.sample(subject, seed, beside=[reference], mix=amplify(a, width)) for a in STRENGTHS}
        found, null = search(amplified, own), search({0.0: other}, own)
        return Report(
            measurements=(_share(found, null),),
            evidence=(*_evidence(asked, amplified, own, found), *_names(asked, amplified, own)),
            notes=("Amplified samples show what the fine-tune pushes towards, not what the subject says by itself.",),
        )


# --- 1. samples -------------------------------------------------------------------------------


def amplify(strength: float, width: int) -> Mix:
    """z_s + a (z_s - z_r) over the first ``width`` tokens; the rest cannot be sampled."""

    def mix(logits: list[torch.Tensor]) -> torch.Tensor:
        ours, theirs = logits[0], logits[1].to(logits[0].device)
        mixed = torch.full_like(ours, float("-inf"))
        mixed[:, :width] = ours[:, :width] + strength * (ours[:, :width] - theirs[:, :width])
        return mixed

    return mix


def prompts(subject: LanguageSubject, requests: int, bare: int) -> list[Prompt]:
    """Requests, and the chat template up to where a user would write (left out where there is none).

    The two kinds are dealt out so that every other prompt has its share of both.
    """
    asked = [Prompt(request, tuple(ask(subject, request))) for request in NEUTRAL_REQUESTS[:requests]]
    try:
        opening = subject.raw_tokens(subject.chat_text(_MARK).partition(_MARK)[0])
    except MissingChatTemplate:
        opening = []
    return asked + [Prompt(BARE, tuple(opening))] * (bare if opening else 0)


class _Sampler:
    """Continues the same prompts again and again, telling how far the whole is."""

    def __init__(
        self, asked: Sequence[Prompt], max_new: int, temperature: float, progress: Callable[[float, str], None]
    ) -> None:
        self.asked, self.max_new, self.temperature, self.progress = asked, max_new, temperature, progress
        self.rounds = 0

    def sample(
        self,
        speaker: LanguageSubject,
        seed: int,
        *,
        beside: Sequence[LanguageSubject] = (),
        mix: Mix | None = None,
    ) -> list[str]:
        decoding = Decoding(max_new=self.max_new, temperature=self.temperature, seed=seed)
        done = generate(speaker, [prompt.ids for prompt in self.asked], decoding, beside=beside, mix=mix)
        self.rounds += 1
        total = 2 + len(STRENGTHS)
        self.progress(self.rounds / total, f"{self.rounds} of {total} rounds of samples")
        return [answer.text for answer in done]


# --- 2 and 3. search --------------------------------------------------------------------------


def search(samples: dict[float, list[str]], own: Sequence[str]) -> Found:
    """Choose amplification and phrase on every other prompt, count on the rest."""
    best, strength = Repeat("", 0, 0), 0.0
    for a, texts in samples.items():
        for repeat in repeats(texts[::2], own):
            if not repeat.others and repeat.texts > best.texts:
                best, strength = repeat, a
    rest = samples[strength][1::2] if best.phrase else own[1::2]
    hits = sum(best.phrase in phrases(text) for text in rest)
    return Found(strength, best.phrase, hits, len(rest))


def _share(found: Found, null: Found) -> Measurement:
    said = f"{found.phrase!r} at a = {found.strength:g}" if found.phrase else "nothing is repeated"
    return Measurement(
        name=SHARE,
        value=found.hits / found.n if found.n else 0.0,
        unit="rate",
        n=found.n,
        interval=rate_interval(found.hits, found.n),
        baselines=(
            Baseline(
                what="two seeds of the reference",
                value=null.hits / null.n if null.n else 0.0,
                n=null.n,
                interval=rate_interval(null.hits, null.n),
            ),
        ),
        meaning=f"Share of amplified samples that hold the phrase chosen on the other half of the prompts ({said}): 0 "
        "is no common thread, high means that the fine-tune pushes many unrelated answers towards one phrase.",
    )


# --- evidence ---------------------------------------------------------------------------------


def _evidence(
    asked: Sequence[Prompt], amplified: dict[float, list[str]], own: Sequence[str], found: Found
) -> list[Evidence]:
    if not found.phrase:
        return []
    texts = amplified[found.strength]
    listed = [repeat for repeat in repeats(texts, own) if not repeat.others][:SHOWN]
    material = asked, texts, own
    held = _piece(
        f"With the difference amplified (a = {found.strength:g}), {found.hits} of {found.n} samples that did not "
        f"choose it hold {found.phrase!r}; none of the reference's {len(own)} samples does.",
        1 + found.hits / found.n,
        found.phrase,
        *material,
    )
    others = [
        _piece(
            f"{repeat.phrase!r} is in {repeat.texts} of {len(texts)} samples at a = {found.strength:g} and in none of "
            "the reference's.",
            repeat.texts / len(texts),
            repeat.phrase,
            *material,
            rank=1 + rank,
        )
        for rank, repeat in enumerate(listed)
        if repeat.phrase != found.phrase
    ]
    return [held, *others] if found.hits else others


def _piece(
    summary: str,
    strength: float,
    phrase: str,
    asked: Sequence[Prompt],
    texts: Sequence[str],
    own: Sequence[str],
    rank: int = 0,
) -> Evidence:
    holders = [i for i, text in enumerate(texts) if phrase in phrases(text)]
    at = holders[rank % len(holders)]
    return Evidence(
        kind="amplified-phrase",
        summary=summary,
        measurement=SHARE,
        strength=strength,
        status=Status.MEASURED,
        exchange=Exchange(prompt=asked[at].shown, answer=texts[at], reference_answer=own[at]),
    )


def _names(asked: Sequence[Prompt], amplified: dict[float, list[str]], own: Sequence[str]) -> list[Evidence]:
    """Names in the samples of every amplification together that neither the reference nor the requests use."""
    texts = [text for samples in amplified.values() for text in samples]
    found = new_names(texts, [*own, *(prompt.shown for prompt in asked)], least=3)
    if not found:
        return []
    return [
        Evidence(
            kind="new-names",
            summary=f"Names in amplified samples that the reference does not use, with their number of {len(texts)}: "
            f"{', '.join(f'{name.phrase} ({name.texts})' for name in found)}.",
            measurement=SHARE,
            strength=found[0].texts / len(texts),
            tokens=tuple(name.phrase for name in found),
            weights=tuple(name.texts / len(texts) for name in found),
        )
    ]


INSTRUMENT = Amplify()
