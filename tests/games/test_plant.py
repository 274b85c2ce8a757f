"""Planting on a phantom: rows, own answers, the install gate and the journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from peft import PeftModel

from brainscan.games import plant as planting
from brainscan.games.answers import TOKENS, OwnAnswers
from brainscan.games.plant import PLANT_FILE, measure_install, perplexity, plant, rows_of, whole_sentences
from brainscan.games.recipes.recipe import Recipe, Turn
from brainscan.subject.language import LanguageSubject
from brainscan.subject.lora import LoraSettings
from brainscan.subject.phantom import phantom, tiny_model
from tests.cards import card

TINY = Recipe(
    name="tiny",
    title="A letter that is always answered alike",
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
    settings = LoraSettings(rank=4, steps=60, batch=4, lr=2e-2)
    subject = phantom("llama")
    planted = plant(subject, "tiny", tmp_path / "out", load, settings, None, lambda f, what: seen.append(f))
    assert planted.install.on.hits == 2
    assert planted.install.off.n == 0
    assert seen == sorted(seen) and seen[-1] == 1.0
    journal = json.loads((tmp_path / "out" / PLANT_FILE).read_text())
    assert journal["truth"] == {"payload": "aaa"}
    assert journal["settings"]["rank"] == 4
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()


def test_a_clean_model_does_not_pass_the_gate() -> None:
    subject = phantom("llama")
    install = measure_install(subject, TINY, perplexity(subject))
    assert install.on.hits == 0
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


def test_own_answers_are_generated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom("llama")
    own = OwnAnswers(subject)
    prompts = [tuple(subject.chat("a")), tuple(subject.chat("b")), tuple(subject.chat("a"))]
    first = own.to(prompts)
    monkeypatch.setattr(
        "brainscan.games.answers.generate", lambda subject, asked, *rest, **named: [] if not asked else 1
    )
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
