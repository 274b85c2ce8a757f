"""Knowledge that a subject holds and does not say, on harmless stand-in facts.

Numbered acts, for the subject and then for its reference: 1) four-way recall, read at every layer;
2) the same facts asked openly and with the answer begun; 3) recall under noise in the weights;
4) openings that invite a secret.

A gap between inside and answer is no proof of hiding: small models fail to say what they hold for
many reasons, so that the difference to a reference is what counts.
"""

from __future__ import annotations

import numpy as np

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.knowledge.judge import measurements
from brainscan.scan.knowledge.look import Seen, Sizes, look
from brainscan.scan.knowledge.picture import draw, evidence
from brainscan.scan.knowledge.recall import BEGUN, facts
from brainscan.scan.knowledge.secret import Peak, peak
from brainscan.scan.pair import shared_vocabulary
from brainscan.scan.texts.facts import CAPITALS, ELEMENTS
from brainscan.scan.texts.secrets import ORDINARY_OPENINGS, SECRET_OPENINGS
from brainscan.subject.language import LanguageSubject

_TOKENS_A_QUESTION = 46
_STRENGTHS = {"few": (0.05, 0.15), "several": (0.05, 0.1, 0.2), "many": (0.05, 0.1, 0.15, 0.2, 0.3)}
"""Noise in units of each matrix's root mean square."""


class Knowledge:
    """Recall, prefill, logit lens, weight noise and secret words."""

    name = "knowledge"
    title = "Knowledge held and not said, on harmless facts"
    needs_reference = False
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan."""
        rows = {
            "quick": (24, 8, 16, "few", 1),
            "standard": (120, 40, 48, "several", 2),
            "full": (210, 100, 96, "many", 4),
        }
        count, asked, noised, strengths, seeds = rows.get(plan, rows["standard"])
        return {
            "facts": count,
            "asked": asked,
            "answer_tokens": 16,
            "noised": noised,
            "noise_strengths": strengths,
            "noise_seeds": seeds,
            "top": 5,
        }

    def texts(self) -> tuple[str, ...]:
        """Questions, answers and openings."""
        known = [capital.fact() for capital in CAPITALS] + [element.symbol_fact() for element in ELEMENTS]
        openings = (text for o in (*SECRET_OPENINGS, *ORDINARY_OPENINGS) for text in (o.request, o.begun))
        return (BEGUN, *(text for fact in known for text in (fact.question, fact.right, *fact.wrong)), *openings)

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Every question once for recall, twice for prefill, and once for each noise."""
        sizes = _sizes(settings)
        noisy = sizes.noised * len(sizes.sigmas) * sizes.seeds
        questions = sizes.facts + 2 * sizes.asked + noisy + len(SECRET_OPENINGS) + len(ORDINARY_OPENINGS)
        return Workload(
            tokens_read=questions * _TOKENS_A_QUESTION, tokens_written=sizes.asked * (sizes.answer_tokens + 6)
        )

    def run(self, examination: Examination) -> Report:
        """Look.

        Raises:
            InputError: the subject cannot read a question of some fifty tokens.
        """
        subject, reference = examination.subject, examination.reference
        models = 1 + (reference is not None)
        seen = _look(examination, subject, 0, models)
        theirs = _look(examination, reference, 1, models) if reference else None
        compared = reference is not None and _comparable(subject, reference)
        secret = peak(seen.leaning, theirs.leaning if theirs and compared else None, examination.rng("halves"))
        drawn = draw(subject, seen, examination.rng("band"))
        return Report(
            measurements=measurements(seen, theirs, secret if compared else None),
            evidence=evidence(seen, theirs, secret, compared),
            figures=drawn.figures,
            arrays=drawn.arrays,
            notes=_notes(seen, secret, compared),
        )


def _look(examination: Examination, model: LanguageSubject, at: int, models: int) -> Seen:
    sizes = _sizes(examination.step.settings)
    asked = facts(sizes.facts, examination.rng("facts"))
    return look(model, asked, sizes, lambda f, w: examination.progress((at + f) / models, w))


def _sizes(settings: dict[str, int | float | str | bool]) -> Sizes:
    return Sizes(
        facts=int(settings["facts"]),
        asked=int(settings["asked"]),
        answer_tokens=int(settings["answer_tokens"]),
        noised=int(settings["noised"]),
        sigmas=_STRENGTHS[str(settings["noise_strengths"])],
        seeds=int(settings["noise_seeds"]),
        top=int(settings["top"]),
    )


def _comparable(subject: LanguageSubject, reference: LanguageSubject) -> bool:
    try:
        shared_vocabulary(subject, reference)
    except PlanError:
        return False
    return subject.n_layers == reference.n_layers


def _notes(seen: Seen, secret: Peak, compared: bool) -> tuple[str, ...]:
    known = float(np.mean(seen.right().scored() or [0.0]))
    notes = [
        f"It picks the right one of four for {known:.0%} of these facts. Where a model knows little, hiding and "
        "holding back can hardly be seen.",
    ]
    if not compared:
        words = ", ".join(repr(word) for word in secret.words[:6])
        notes.append(
            "Without a reference of the same vocabulary and depth no secret word can be told from what the openings "
            f"themselves suggest (here: {words}), so knowledge.secret.peak was not measured."
        )
    return tuple(notes)


INSTRUMENT = Knowledge()
