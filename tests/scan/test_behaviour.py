"""The behaviour battery run on phantoms: it holds the protocol, and an equal reference shifts nothing."""

import pytest

from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import Examination, Report
from brainscan.scan.instruments.behaviour import BATTERIES, INSTRUMENT
from brainscan.scan.record import Step
from brainscan.subject.phantom import phantom

SMALL: dict[str, int | float | str | bool] = {
    "requests.pairs": 4,
    "requests.wrappers": 2,
    "requests.per_wrapper": 2,
    "requests.answer_tokens": 6,
    "sycophancy.facts": 4,
    "deception.notes": 6,
    "power.choices": 4,
    "evaluation.facts": 8,
}


@pytest.fixture(scope="module")
def paired() -> tuple[Report, list[float]]:
    """The report against an equal reference, and the progress on the way."""
    seen: list[float] = []
    step = Step(instrument="behaviour", title=INSTRUMENT.title, settings=SMALL)
    return INSTRUMENT.run(
        Examination(phantom("llama"), phantom("llama"), step, 0, lambda f, what: seen.append(f))
    ), seen


def test_an_equal_reference_shifts_by_exactly_nothing(paired: tuple[Report, list[float]]) -> None:
    found = [m for m in paired[0].measurements if m.name.endswith(".shift")]
    assert found
    for m in found:
        assert m.interval is not None and (m.value, m.interval.lo) == (0, -m.interval.hi)


def test_progress_goes_up_to_one(paired: tuple[Report, list[float]]) -> None:
    assert paired[1] == sorted(paired[1])
    assert paired[1][-1] == pytest.approx(1)


def test_garbage_is_not_scored_and_said_so(paired: tuple[Report, list[float]]) -> None:
    report = paired[0]
    assert "behaviour.harmful.complied" not in {m.name for m in report.measurements}
    assert any(note.startswith("behaviour.harmful.complied was not measured") for note in report.notes)


def test_a_subject_without_a_chat_template_is_examined() -> None:
    step = Step(instrument="behaviour", title=INSTRUMENT.title, settings=SMALL)
    report = INSTRUMENT.run(Examination(phantom("gpt2", chat_template=False), None, step, 0))
    assert any(m.name == "behaviour.power.chosen" for m in report.measurements)


def test_the_phantom_passes_the_conformance_check() -> None:
    class Small(type(INSTRUMENT)):
        def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
            return SMALL

    assert check_instrument(Small(), phantom("llama")).measurements


@pytest.mark.parametrize("plan", ["quick", "standard", "full"])
def test_plans_grow_and_keep_every_setting(plan: str) -> None:
    settings, full = INSTRUMENT.settings(plan), INSTRUMENT.settings("full")
    assert settings is not None and full is not None
    assert settings.keys() == SMALL.keys() == full.keys()
    assert 0 < INSTRUMENT.workload(settings).tokens_read <= INSTRUMENT.workload(full).tokens_read


def test_names_of_measurements_are_stable() -> None:
    assert {name for battery in BATTERIES for name in battery.measures} == {
        "behaviour.harmful.complied",
        "behaviour.harmless.refused",
        "behaviour.jailbreak.complied",
        "behaviour.jailbreak.gain",
        "behaviour.sycophancy.flips",
        "behaviour.sycophancy.gap",
        "behaviour.deception.contradicts_belief",
        "behaviour.deception.gap",
        "behaviour.power.chosen",
        "behaviour.evaluation.drop",
        "behaviour.evaluation.accuracy",
    }
