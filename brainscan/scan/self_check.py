"""The numerical self-check before every scan: does this model compute the same thing however it is asked?

Four checks, each with a stated tolerance: 1) a captured run equals a plain run; 2) a padded batch
equals single runs; 3) an edit that changes nothing changes nothing; 4) generation with the cache
equals generation without. Silent failures of exactly these are the commonest wrong numbers of the
field (padding and positions, hooks that never fire, caches).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.scan.record import Check
from brainscan.subject.edit import Edit
from brainscan.subject.generate import Decoding, generate

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

PROMPTS = (
    "The lighthouse keeper counted the ships before breakfast.",
    "Water",
    "One two three four five six seven eight nine ten eleven twelve.",
)
TOLERANCE = {"float32": 2e-3, "bfloat16": 0.25, "float16": 0.1}
"""Largest logit difference allowed, by weight type: the same sums in another order, never another sum."""
_NEW_TOKENS = 5


def self_check(
    subject: LanguageSubject, progress: Callable[[float, str], None] = lambda f, w: None
) -> tuple[Check, ...]:
    """Run the four checks on one subject. Never raises for a failed check: the record says so."""
    rows = [subject.tokens(text) for text in PROMPTS]
    checks = []
    for i, check in enumerate((_captured, _padded, _unchanged, _cached)):
        progress(i / 4, f"self-check: {check.__name__.strip('_')}")
        checks.append(check(subject, rows))
    return tuple(checks)


def _captured(subject: LanguageSubject, rows: list[list[int]]) -> Check:
    """Logits rebuilt from the captured final_norm, against the model's own."""
    hidden = capture(subject, rows, ["final_norm"], keep="last")[Site("final_norm")].values  # [row, d_model]
    ids, plain = [], []
    for row, x in zip(rows, hidden, strict=True):
        own = subject.logits(subject.batch([row]))[0, -1].float()
        head = subject.model.get_output_embeddings()
        with torch.no_grad():
            rebuilt = head(x.to(device=subject.device, dtype=head.weight.dtype)).float()
        # Families that cap or scale their logits do so monotonically: compare what they rank first and,
        # where nothing is capped, the numbers.
        ids.append(int(rebuilt.argmax()) == int(own.argmax()))
        plain.append(float((rebuilt - own).abs().max()) if _logits_are_plain(subject) else 0.0)
    error = _finite(max(plain, key=_finite))
    tolerance = _tolerance(subject)
    passed = all(ids) and error <= tolerance
    return Check(
        name="captured run equals plain run",
        expected="the same logits from captured activations as from the model",
        found=f"largest difference {error:.1e}; same first choice in {sum(ids)} of {len(ids)}",
        error=error,
        tolerance=tolerance,
        passed=passed,
    )


def _padded(subject: LanguageSubject, rows: list[list[int]]) -> Check:
    worst = 0.0
    for side in ("left", "right"):
        batch = subject.batch(rows, side=side)
        together = subject.logits(batch, keep=0).float()
        for i, row in enumerate(rows):
            at = batch.ids.shape[1] - 1 if side == "left" else len(row) - 1
            alone = subject.logits(subject.batch([row]))[0, -1].float()
            worst = max(worst, _finite(float((together[i, at] - alone).abs().max())))
    return _check(subject, "a padded batch equals single runs", "the same logits with padding on either side", worst)


def _unchanged(subject: LanguageSubject, rows: list[list[int]]) -> Check:
    batch = subject.batch(rows, side="left")
    sites = [
        Site(point, subject.n_layers // 2) for point in subject.points() if point not in ("final_norm", "attn_probs")
    ]
    edited = subject.logits(batch, edits=[Edit.scale(site, 1.0) for site in sites])
    worst = float((edited - subject.logits(batch)).abs().max())
    return _check(
        subject,
        "a no-op edit changes nothing",
        f"identical logits with {len(sites)} edits that multiply by 1",
        worst,
        0.0,
    )


def _cached(subject: LanguageSubject, rows: list[list[int]]) -> Check:
    answers = generate(subject, rows, Decoding(max_new=_NEW_TOKENS, stop_at_end=False))
    worst = 0.0
    for row, answer in zip(rows, answers, strict=True):
        logits = subject.logits(subject.batch([[*row, *answer.ids[:-1]]]), keep=_NEW_TOKENS)[0].float()
        chosen = logits.gather(1, torch.tensor(answer.ids, device=logits.device)[:, None])[:, 0]
        # How far below the best token the cached choice is, without the cache: 0 when they agree.
        worst = max(worst, _finite(float((logits.max(-1).values - chosen).max())))
    return _check(subject, "generation with the cache equals without", f"the same {_NEW_TOKENS} greedy tokens", worst)


def _check(subject: LanguageSubject, name: str, expected: str, error: float, tolerance: float | None = None) -> Check:
    allowed = _tolerance(subject) if tolerance is None else tolerance
    found = _finite(error)
    return Check(
        name=name,
        expected=expected,
        found=f"largest difference {found:.1e}",
        error=found,
        tolerance=allowed,
        passed=found <= allowed,
    )


def _finite(error: float) -> float:
    """The error, or a number that no tolerance allows where it is NaN or infinite."""
    return error if math.isfinite(error) else 1e30


def _tolerance(subject: LanguageSubject) -> float:
    return TOLERANCE.get(subject.card.dtype, TOLERANCE["bfloat16"])


def _logits_are_plain(subject: LanguageSubject) -> bool:
    return not any(
        getattr(subject.config, name, None) for name in ("final_logit_softcapping", "logit_scale", "logits_scaling")
    )
