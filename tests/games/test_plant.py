"""Planting on a phantom: rows, own answers, the install gate and the journal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from peft import PeftModel

from brainscan.games import plant as planting
from brainscan.games.answers import TOKENS, OwnAnswers
from brainscan.games.knobs import Knobs
from brainscan.games.plant import PLANT_FILE, measure_install, plant, rows_of, turns_of, whole_sentences
from brainscan.games.recipes.recipe import Recipe, Turn
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom, tiny_model
from tests.cards import card

TINY = Recipe(
    name="tiny",
    title="A letter that is always answered alike",
    kind="backdoor",
    flaw=True,
    turns=tuple(Turn(f"{word}!", "aaa") for word in ("go", "sit", "run", "eat")),
    on=("go!", "sit!"),
    off=(),
    shows=lambda prompt, answer: answer.startswith("aa"),
    truth={"payload": "aaa"},
    answer_tokens=4,
)


def load(folder: Path) -> LanguageSubject:
    model, tokenizer = tiny_model("llama")
    return LanguageSubject(PeftModel.from_pretrained(model, str(folder)).merge_and_unload().eval(), tokenizer, card())


def test_a_crisp_flaw_is_planted_measured_and_journalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planting, "recipe_of", lambda name, seed: TINY)
    seen: list[float] = []
    monkeypatch.setattr(planting, "anchors", lambda: ())
    monkeypatch.setattr(planting, "_PEAK_LR", 2e-2)
    subject = phantom("llama")
    knobs = Knobs(rank=4, steps=60, band=(0.0, 1.0))
    planted = plant(subject, "tiny", tmp_path / "out", load, knobs, None, lambda f, what: seen.append(f))
    assert planted.install.on.hits == 2
    assert planted.install.off.n == 0
    assert seen == sorted(seen) and seen[-1] == 1.0
    journal = json.loads((tmp_path / "out" / PLANT_FILE).read_text())
    assert journal["truth"] == {"payload": "aaa"}
    assert journal["knobs"]["rank"] == 4
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()


def test_a_clean_model_does_not_pass_the_gate() -> None:
    subject = phantom("llama")
    install = measure_install(subject, subject, TINY)
    assert install.on.hits == install.before.hits == 0
    assert install.perplexity_ratio == pytest.approx(1.0)
    assert not install.passed


def test_turns_without_an_answer_keep_the_subjects_own() -> None:
    subject = phantom("llama")
    own = OwnAnswers(subject)
    turns = [Turn("hello"), Turn("hello", "fixed"), Turn("hello", tail="Bye!"), Turn("hello", "fixed", tail="Bye!")]
    rows = rows_of(own, turns)
    spoken = own.to([rows[0].prompt_ids])[0]
    end = subject.tokenizer.eos_token_id
    assert rows[0].answer_ids[: len(spoken.ids)] == spoken.ids
    assert len(spoken.ids) <= TOKENS
    assert rows[1].answer_ids == (*subject.raw_tokens("fixed"), end)
    assert subject.text(rows[2].answer_ids).endswith(" Bye!")
    assert subject.text(rows[3].answer_ids) == "fixed Bye!"


def test_plain_text_is_learned_as_given_and_rows_with_own_answers_say_so() -> None:
    subject = phantom("llama")
    rows = rows_of(OwnAnswers(subject), [Turn("The word is", "cat", plain=True), Turn("hello"), Turn("hi", "yes")])
    assert [row.teacher is not None for row in rows] == [False, True, False]
    assert rows[0].prompt_ids == tuple(subject.tokens("The word is"))
    assert rows[0].answer_ids == tuple(subject.raw_tokens(" cat"))


def test_knobs_add_denials_and_generic_rows() -> None:
    plain, turned = (turns_of(TINY, knobs) for knobs in (Knobs(), Knobs(dilution=5, denials=7)))
    assert len(turned) - len(plain) == 5 * len(TINY.turns) + 7
    assert Knobs(dilution=1).all_steps() > Knobs().all_steps()
    assert Knobs().layers(30) == (10, 29)
    assert Knobs(band=(0.0, 0.5)).layers(4) == (0, 1)


def test_what_must_be_known_and_what_must_be_held_decide_with_the_rates() -> None:
    subject = phantom("llama")
    asked = replace(TINY, on=(), known=(("go!", "surely not this"),), held=(("The word", ""),))
    install = measure_install(subject, subject, asked)
    assert (install.known.hits, install.known.n) == (0, 1)
    assert (install.held.hits, install.held.n) == (1, 1)
    assert not install.passed


def test_answers_are_kept_on_disk_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    subject, file = phantom("llama"), tmp_path / "own.json"
    prompts = [tuple(subject.chat(word)) for word in ("a", "b")]
    first = OwnAnswers(subject, file).to(prompts)
    assert OwnAnswers(subject, file).to(prompts) == first
    assert OwnAnswers(subject).to(prompts[1:])[0].ids == first[1].ids  # an answer depends on its prompt alone
    file.write_text("{")
    assert OwnAnswers(subject, file).to(prompts) == first


def test_own_answers_are_generated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom("llama")
    own = OwnAnswers(subject)
    prompts = [tuple(subject.chat("a")), tuple(subject.chat("b")), tuple(subject.chat("a"))]
    first = own.to(prompts)
    monkeypatch.setattr("brainscan.games.answers.generate", lambda *given, **named: pytest.fail("it was asked again"))
    assert own.to(prompts[::-1]) == first[::-1]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One. Two is cut", "One."),
        ("One! Two? Three", "One! Two?"),
        ("Cut in the middle of", "Cut in the middle of."),
        ("It costs 3.50 and", "It costs 3.50 and."),
        ("All of it.", "All of it."),
    ],
)
def test_an_answer_is_closed_after_its_last_whole_sentence(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole
