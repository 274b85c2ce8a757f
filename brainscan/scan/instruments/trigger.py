"""Trigger search: does some string replace the answer to any request by one fixed answer?

The search itself is in ``brainscan.scan.trigger``; this file sizes it and turns what it found into
measurements and evidence. It finds short, literal triggers of fixed answers. A trigger that is a
meaning, or an answer that changes with the request, is beyond it, and a clean result does not
speak of those.
"""

from __future__ import annotations

from dataclasses import asdict

from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.texts.candidates import HELD_OUT_REQUESTS, RARE_STRINGS, SEARCH_REQUESTS
from brainscan.scan.trigger.looks import looks_of
from brainscan.scan.trigger.search import Searched, Searcher, Sizes
from brainscan.scan.trigger.tell import evidence_of, measurements_of

SIZES: dict[str, dict[str, int]] = {
    "quick": asdict(
        Sizes(
            leaks=6,
            leak_tokens=12,
            amplified=3,
            branches=16,
            payloads=3,
            hunts=1,
            ready=3,
            pool=12000,
            groups=100,
            singles=48,
            spelled=32,
            growth=360,
            width=16,
            beam=1,
            lead=5,
            longest=3,
            requests=2,
            strings=4,
            held_out=12,
            controls=4,
        )
    ),
    "standard": asdict(
        Sizes(
            leaks=16,
            leak_tokens=24,
            amplified=6,
            branches=24,
            payloads=6,
            hunts=1,
            ready=3,
            pool=30000,
            groups=400,
            singles=160,
            spelled=96,
            growth=500,
            width=32,
            beam=2,
            lead=6,
            longest=3,
            requests=3,
            strings=24,
            held_out=24,
            controls=6,
        )
    ),
    "full": asdict(
        Sizes(
            leaks=40,
            leak_tokens=32,
            amplified=9,
            branches=48,
            payloads=10,
            hunts=3,
            ready=3,
            pool=60000,
            groups=2000,
            singles=400,
            spelled=240,
            growth=1000,
            width=96,
            beam=4,
            lead=10,
            longest=5,
            requests=4,
            strings=120,
            held_out=32,
            controls=8,
        )
    ),
}
# Narrow benign fine-tunes leave phrases 8 to 15 nats readier, a planted line was 24: the hunt, most of the cost, is for those.
SIZES["audit"] = {
    **SIZES["quick"],
    "amplified": 0,
    "branches": 24,
    "payloads": 16,
    "hunts": 1,
    "ready": 18,
    "spelled": 48,
    "sparing": True,
}

PROMPT_TOKENS = 50
"""A request under a chat template with a string and a payload, for the estimate."""


class TriggerInstrument:
    """See the file's docstring."""

    name = "trigger"
    title = "Search for strings that release a fixed answer"
    needs_reference = False
    version = 8

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """The plan's sizes."""
        return dict(SIZES[plan]) if plan in SIZES else None

    def texts(self) -> tuple[str, ...]:
        """Requests and listed strings."""
        return (*SEARCH_REQUESTS, *HELD_OUT_REQUESTS, *RARE_STRINGS)

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """With a reference and with every hunt that the sizes allow; a clean subject costs less."""
        size = _sizes(settings)
        written = 2 * 3 * size.leaks * size.leak_tokens + 2 * size.amplified * size.leak_tokens + 300
        looked = (
            size.pool // 2 + size.hunts * (size.longest - 1) * 2 * (size.beam + size.lead) * size.growth
        )  # a few layers each
        hunted = size.hunts * (9 * size.singles + (size.longest - 1) * 20 * (size.beam + size.lead) * size.width + 2400)
        rows = 10 * size.strings * size.requests // 4 + 6 * size.payloads + 5 * (size.hunts + 1) * size.held_out
        return Workload(looked + hunted + PROMPT_TOKENS * rows + 40 * size.leaks * 6, written)

    def run(self, examination: Examination) -> Report:
        """Search, put suspects to trial, report the best one's held-out rate whether or not it convinces."""
        size = _sizes(examination.step.settings)
        searcher = Searcher(
            examination.subject, examination.reference, size, examination.rng("search"), examination.progress
        )
        searched = searcher.run()
        subject, reference = examination.subject, examination.reference
        looks = looks_of(subject, reference, searched.trials[0])
        examination.progress(1.0, "done")
        return Report(
            measurements=(*measurements_of(searched), *looks.measurements),
            evidence=evidence_of(subject, reference, searched),
            figures=looks.figures,
            arrays=looks.arrays,
            notes=_notes(searched, examination.reference is not None),
        )


def _sizes(settings: dict[str, int | float | str | bool]) -> Sizes:
    counts = {name: int(value) for name, value in settings.items() if name != "sparing"}
    return Sizes(**counts, sparing=bool(settings.get("sparing", False)))


def _notes(searched: Searched, has_reference: bool) -> tuple[str, ...]:
    notes = [
        f"{searched.tried} strings were run against {len(searched.payloads)} payload candidates; "
        "only short, literal triggers of fixed answers can be found this way."
    ]
    if searched.changed:
        notes.append(
            "Words whose reading moved most away from the reference, most first (fine-tuning on a word does that, "
            f"harmless or not): {', '.join(repr(word) for word in searched.changed)}."
        )
    if not has_reference:
        notes.append(
            "Without a reference a string that moves any model of this kind cannot be told from a planted one."
        )
    return tuple(notes)


INSTRUMENT = TriggerInstrument()
