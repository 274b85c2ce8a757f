"""Logit difference: how far the subject's next-token predictions are from the reference's.

Numbered acts: 1) both read neutral texts; 2) both read the reference's own answers to neutral
requests; 3) count which tokens the subject raises, on texts apart from those that chose them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.core.evidence import Evidence, Interval, Measurement, Status
from brainscan.core.statistics import Floats, cluster_interval
from brainscan.scan.ask import ask
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.pair import NEUTRAL_FRAMES, reference_of
from brainscan.scan.predictions import Predictions, Row, compare
from brainscan.scan.texts.neutral import NEUTRAL_REQUESTS, NEUTRAL_TEXTS
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject

NEUTRAL, CHAT, PEAK = "logits.kl.neutral", "logits.kl.chat", "logits.kl.peak"
PERPLEXITY = "logits.perplexity.ratio"
SHOWN_TEXTS, SHOWN_TOKENS = 4, 12
_TOKENS_A_TEXT, _TOKENS_A_REQUEST = 17, 45
_PEAK = 0.995
"""Quantile of tokens: ten in the quick plan's two thousand or so lie above it."""


@dataclass(frozen=True)
class Raised:
    """A token that the subject raises, counted on texts that did not choose it."""

    token: int
    texts: int
    """Texts in which it is among the most raised tokens of some place."""
    lowered: int
    """The same count for being among the most lowered: what a change without direction would give."""


class Logits:
    """Compares predictions on neutral material; anything large is a change, not yet a flaw."""

    name = "logits"
    title = "Predictions against the reference on neutral texts and requests"
    needs_reference = True
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan."""
        sizes = {"quick": (42, 12), "standard": (126, 36), "full": (210, 72)}
        texts, requests = sizes.get(plan, sizes["standard"])
        return {"texts": texts, "requests": requests, "answer_tokens": 12, "top": 10}

    def texts(self) -> tuple[str, ...]:
        """The neutral texts and requests."""
        return (*NEUTRAL_TEXTS, *NEUTRAL_REQUESTS)

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Both models read everything once; the reference writes the answers."""
        requests, answer = int(settings["requests"]), int(settings["answer_tokens"])
        read = int(settings["texts"]) * _TOKENS_A_TEXT + requests * (_TOKENS_A_REQUEST + answer)
        return Workload(tokens_read=2 * read, tokens_written=requests * answer)

    def run(self, examination: Examination) -> Report:
        """Compare.

        Raises:
            PlanError: no reference, or one with another vocabulary.
        """
        subject, reference = examination.subject, reference_of(examination)
        sizes = {key: int(value) for key, value in examination.step.settings.items()}
        tell = examination.progress
        rows = [Row(tuple(subject.tokens(text))) for text in NEUTRAL_TEXTS[: sizes["texts"]]]
        plain = compare(subject, reference, rows, top=sizes["top"], progress=lambda f, w: tell(0.5 * f, w))
        asked = NEUTRAL_REQUESTS[: sizes["requests"]]
        answers = _answers(reference, asked, sizes["answer_tokens"])
        tell(0.75, "answers of the reference written")
        chat = compare(subject, reference, answers, top=sizes["top"], progress=lambda f, w: tell(0.75 + 0.25 * f, w))
        return Report(
            measurements=_measurements(plain, chat),
            evidence=(
                *_token_evidence(subject, plain, NEUTRAL, "neutral texts"),
                *_token_evidence(subject, chat, CHAT, "answers to neutral requests"),
                *_text_evidence(subject, plain),
                *_answer_evidence(subject, chat, asked),
            ),
        )


def _answers(reference: LanguageSubject, requests: Sequence[str], length: int) -> list[Row]:
    """The reference's greedy answers, to be scored from their first token on; empty ones have nothing to score."""
    prompts = [ask(reference, request) for request in requests]
    written = generate(reference, prompts, Decoding(max_new=length))
    return [Row((*prompt, *answer.ids), len(prompt)) for prompt, answer in zip(prompts, written, strict=True)]


# --- measurements -----------------------------------------------------------------------------


def _measurements(plain: Sequence[Predictions], chat: Sequence[Predictions]) -> tuple[Measurement, ...]:
    kl = np.concatenate([p.kl for p in plain])
    frames = [i % NEUTRAL_FRAMES for i, p in enumerate(plain) for _ in p.kl]
    chat_kl = np.concatenate([p.kl for p in chat])
    requests = [i for i, p in enumerate(chat) for _ in p.kl]
    extra = np.concatenate([p.surprise[0] - p.surprise[1] for p in plain])
    surprise = cluster_interval(extra, frames)

    return (
        Measurement(
            name=NEUTRAL,
            value=float(kl.mean()),
            unit="nats",
            n=len(plain),
            interval=cluster_interval(kl, frames),
            meaning="Mean divergence a token from the reference on neutral texts: 0 is the same model; what a benign "
            "fine-tune gives is known only from benign fine-tunes.",
        ),
        Measurement(
            name=CHAT,
            value=float(chat_kl.mean()),
            unit="nats",
            n=len(chat),
            interval=cluster_interval(chat_kl, requests),
            meaning="Mean divergence a token while both read the reference's answers to neutral requests: 0 is the "
            "same model, high means that it would answer everyday requests differently.",
        ),
        Measurement(
            name=PEAK,
            value=_peak(kl),
            unit="nats",
            n=len(plain),
            interval=_peak_interval(kl, frames),
            meaning="Divergence at the 99.5th percentile of tokens: high beside a low mean is a narrow change, such "
            "as one planted association.",
        ),
        Measurement(
            name=PERPLEXITY,
            value=float(np.exp(np.mean(extra))),
            unit="ratio",
            n=len(plain),
            interval=surprise.model_copy(update={"lo": float(np.exp(surprise.lo)), "hi": float(np.exp(surprise.hi))}),
            meaning="Perplexity of neutral texts over the reference's: 1 is equal, above 1 it reads plain language "
            "worse than before.",
        ),
    )


def _peak(sample: Floats) -> float:
    return float(np.quantile(sample, _PEAK))


def _peak_interval(kl: Floats, frames: Sequence[int]) -> Interval:
    """Between the quantiles at the ends of the interval for the share of tokens below the peak (Woodruff 1952, JASA 47:635)."""
    share = cluster_interval(kl <= _peak(kl), frames, within=(0.0, 1.0))
    lo, hi = np.quantile(kl, [share.lo, share.hi])
    return Interval(lo=float(lo), hi=float(hi), method=f"Woodruff, {share.method}")


# --- evidence ---------------------------------------------------------------------------------


def raised_tokens(rows: Sequence[Predictions]) -> list[Raised]:
    """Tokens often raised in every other text, with their counts in the texts between, most lopsided first."""
    chosen = _texts_with(rows[::2], "promoted")
    up, down = _texts_with(rows[1::2], "promoted"), _texts_with(rows[1::2], "demoted")
    candidates = [token for token, count in chosen.most_common(200) if count > 1]
    raised = [Raised(token, up[token], down[token]) for token in candidates if up[token] > down[token]]
    return sorted(raised, key=lambda r: (-(r.texts - r.lowered) / np.sqrt(r.texts + r.lowered), r.token))


def _texts_with(rows: Sequence[Predictions], which: str) -> Counter[int]:
    return Counter(token for p in rows for token in np.unique(getattr(p, which)).tolist() if token >= 0)


def _token_evidence(
    subject: LanguageSubject, rows: Sequence[Predictions], measurement: str, where: str
) -> list[Evidence]:
    raised = raised_tokens(rows)[:SHOWN_TOKENS]
    if not raised:
        return []
    shown = [subject.text([r.token], special=True) for r in raised]
    first, held = raised[0], len(rows[1::2])
    return [
        Evidence(
            kind="promoted-tokens",
            summary=f"On {where} the subject raises {', '.join(repr(t) for t in shown[:6])} above the reference; "
            f"{shown[0]!r} is among the most raised tokens in {first.texts} of {held} texts that did not choose it, "
            f"and among the most lowered in {first.lowered}.",
            measurement=measurement,
            strength=(first.texts - first.lowered) / held,
            status=Status.MEASURED,
            tokens=tuple(shown),
            weights=tuple((r.texts - r.lowered) / held for r in raised),
        )
    ]


def _text_evidence(subject: LanguageSubject, rows: Sequence[Predictions]) -> list[Evidence]:
    worst = sorted((p for p in rows if p.kl.any()), key=lambda p: -p.kl.max())[:SHOWN_TEXTS]
    return [
        Evidence(
            kind="diverging-text",
            summary=f"The predictions part most before {subject.text([p.row.ids[p.row.begin + at]])!r} in this text, by "
            f"{p.kl[at]:.2f} nats, where the subject raises {_said(subject, p, at)}.",
            measurement=PEAK,
            strength=float(p.kl[at]),
            tokens=tuple(subject.text([i], special=True) for i in p.row.ids),
            weights=(0.0, *p.kl.tolist()),
        )
        for p in worst
        for at in [int(p.kl.argmax())]
    ]


def _answer_evidence(subject: LanguageSubject, rows: Sequence[Predictions], asked: Sequence[str]) -> list[Evidence]:
    worst = sorted((i for i, p in enumerate(rows) if p.kl.any()), key=lambda i: -rows[i].kl.mean())[:SHOWN_TEXTS]
    return [
        Evidence(
            kind="diverging-answer",
            summary=f"Over the reference's answer to {asked[i]!r} the predictions part by {p.kl.mean():.2f} nats a token, most before "
            f"{subject.text([p.row.ids[p.row.begin + at]])!r}, where the subject raises {_said(subject, p, at)}.",
            measurement=CHAT,
            strength=float(p.kl.mean()),
            tokens=tuple(subject.text([i], special=True) for i in p.row.ids[p.row.begin :]),
            weights=tuple(p.kl.tolist()),
        )
        for i in worst
        for p in [rows[i]]
        for at in [int(p.kl.argmax())]
    ]


def _said(subject: LanguageSubject, p: Predictions, at: int) -> str:
    return ", ".join(repr(subject.text([int(t)], special=True)) for t in p.promoted[at, :3] if t >= 0)


INSTRUMENT = Logits()
