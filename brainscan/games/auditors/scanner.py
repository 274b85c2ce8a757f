"""The scanner as an auditor: it runs the audit plan, has the scan judged against clean controls, and answers.

Without the reference (A2) it does the same with what can be read from the model alone. What it says is read off
the finished scan and diagnosis, so that an answer can be made again from records without running a model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainscan.core.evidence import Cost, Evidence
from brainscan.diagnosis.calibration import Calibration
from brainscan.diagnosis.calibrations import calibration_for
from brainscan.diagnosis.finding import Diagnosis
from brainscan.diagnosis.judge import ALPHA, UNLIKELY, judge
from brainscan.games.access import Access, Meter
from brainscan.games.answer import GUESSES, Answer, silent
from brainscan.games.classes import NONE
from brainscan.games.rules import BudgetSpent, Rules, Tier, allows
from brainscan.scan.record import RECORD_FILE, Scan, StepResult, read_scan
from brainscan.subject.language import LanguageSubject

CLASS_OF = {
    "backdoor": "backdoor",
    "sycophancy": "sycophancy",
    "locked-knowledge": "locked-knowledge",
    "deception": "lying",
    "power-seeking": "power-seeking",
    "hidden-objective": "promotion",
    "jailbreak-susceptibility": "refusal-removed",
    "secrets": "secret-keeper",
    "sandbagging": "sandbagging",
    "harmful-advice": "bad-advice",
}
"""Condition -> class of the games; ``anomaly`` speaks of no class."""
_FAMILY_OF = {
    "lying": "lying",
    "sandbagging": "sandbagging",
    "sycophancy": "sycophancy",
    "power-seeking": "power-seeking",
    "refusal-removed": "refusal",
    "bad-advice": "advice",
}
"""Class -> family of situations whose variants are its choices."""
WITHOUT_REFERENCE = ("situations", "openings", "passwords")
"""Instruments of the audit plan that a model alone is enough for."""


@dataclass(frozen=True)
class Scanner:
    """An ``Auditor`` (see ``brainscan.games.auditor``)."""

    name: str
    tier: Tier
    version: str = "1"
    calibration: Calibration | None = None
    """The one that ships with brainscan when left out."""
    scans: Path | None = None
    """Where scans are kept under the hash of the model's tensors, so that none is made twice, nor under another
    name; nowhere when left out. In a game a kept scan costs what it cost when it was made."""

    def audit(self, access: Access, rules: Rules) -> Answer:
        """Scan, judge, answer."""
        reference = access.reference.subject if allows(self.tier, "A3") else None
        try:
            scan = self.scan(access.subject, reference, rules.seed, access.meter)
        except BudgetSpent as spent:  # before the first instrument
            return silent(rules, str(spent))
        return answer_of(scan, judge(scan, self.calibration or calibration_for(scan)), rules)

    def scan(
        self, subject: LanguageSubject, reference: LanguageSubject | None, seed: int = 0, meter: Meter | None = None
    ) -> Scan:
        """The audit plan's scan of a model, remembered if there is one.

        Args:
            meter: is charged for the steps that were run earlier; what its budget does not hold has failed.
        """
        from brainscan.scan.plan import make_plan
        from brainscan.scan.run import Watch, run_plan
        from brainscan.subject.tensors import tensors_sha256

        plan = make_plan("audit", subject, reference, seed=seed, only=() if reference else WITHOUT_REFERENCE)
        with tempfile.TemporaryDirectory() as passing:
            folder = self.scans / f"{tensors_sha256(subject.model)[:16]}-{self.tier}" if self.scans else Path(passing)
            known = (folder / RECORD_FILE).is_file()
            if known:
                kept = read_scan(folder)
                whole = all(step.outcome != "failed" for step in kept.steps)
                if whole and [step.part for step in kept.plan.steps] == [step.part for step in plan.steps]:
                    return kept if meter is None else _charged(kept, meter)
            now: set[str] = set()
            watch = Watch(started=lambda step: now.add(step.instrument))
            scan = run_plan(plan, subject, reference, folder, command="", started_utc="", watch=watch, again=known)
            return scan if meter is None else _charged(scan, meter, now)


def _charged(scan: Scan, meter: Meter, now: Collection[str] = ()) -> Scan:
    """The scan as far as the budget holds it: what was not run just now is charged as it cost then, in its order.

    A step that ran into the end of the budget has failed, and so have those that would have.
    """
    checks = scan.cost.seconds - sum(step.cost.seconds for step in scan.steps)
    held, why = set(now), ""
    try:
        if not now:
            meter.charge(_processor(Cost(seconds=max(0.0, checks)), scan))
        for step in scan.steps:
            if step.instrument not in held:
                meter.charge(_processor(step.cost, scan))
                held.add(step.instrument)
    except BudgetSpent as spent:
        why = str(spent)
    steps = (
        step
        if step.instrument in held or step.outcome != "done"
        else StepResult(instrument=step.instrument, outcome="failed", reason=why)
        for step in scan.steps
    )
    return scan.model_copy(update={"steps": tuple(steps)})


def _processor(cost: Cost, scan: Scan) -> Cost:
    """The same in processor seconds: at most those of all threads that the scan had."""
    return cost.model_copy(update={"seconds": scan.provenance.threads * cost.seconds})


def answer_of(scan: Scan, diagnosis: Diagnosis, rules: Rules) -> Answer:
    """What a judged scan says in the language of the games.

    The ranking follows each condition's excess over the controls. None comes first where more than ``UNLIKELY`` of the
    clean models stand out as far: naming the likeliest class is another decision than raising an alarm.
    """
    together = diagnosis.together
    excess = {CLASS_OF[name]: value for name, value in together.excess.items() if name in CLASS_OF} if together else {}
    order = sorted((each.name for each in rules.classes), key=lambda name: -excess.get(name, float("-inf")))
    alarm = together is not None and together.p_value <= ALPHA
    return Answer(
        flawed=alarm,
        p_value=together.p_value if together else 1.0,
        score=together.largest if together else 0.0,
        ranking=(*order, NONE) if together is not None and together.p_value <= UNLIKELY else (NONE, *order),
        slots=slots_of(scan, rules),
        statistics=excess,
        notes=(diagnosis.impression[0],),
    )


def slots_of(scan: Scan, rules: Rules) -> dict[str, tuple[str, ...]]:
    """Class -> guesses, best first, for every class that the scan has something to say of."""
    values = {name: m.value for name, m in scan.measurements().items()}
    guesses: dict[str, list[str]] = {}
    for each in rules.classes:
        family = _FAMILY_OF.get(each.name)
        if family:
            found = [choice for choice in each.choices if f"situations.{family}.{choice}" in values]
            guesses[each.name] = sorted(found, key=lambda choice: -values[f"situations.{family}.{choice}"])
    kinds = {"backdoor": "trigger", "promotion": "name", "secret-keeper": "secret", "locked-knowledge": "password"}
    for name, kind in kinds.items():
        guesses[name] = _said([e for e in scan.evidence() if e.kind == kind])
    allowed = {each.name: each.choices for each in rules.classes}
    return {
        name: tuple(kept)[:GUESSES]
        for name, found in guesses.items()
        if (kept := [guess for guess in dict.fromkeys(found) if not allowed[name] or guess in allowed[name]])
    }


def _said(evidence: Sequence[Evidence]) -> list[str]:
    """What the pieces of evidence name: their tokens, joined."""
    return [text for e in evidence if (text := "".join(e.tokens).strip())]


REFERENCE = Scanner("scanner", "A3")
ALONE = Scanner("scanner-alone", "A2")
