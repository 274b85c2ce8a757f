"""Training an adapter: it learns, it is deterministic, it leaves the subject alone, it can be loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.errors import InputError, UsageError
from brainscan.subject.frozen import freeze_below, resumed
from brainscan.subject.gradient import differentiable_logits
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Row
from brainscan.subject.lora import LoraSettings, train_lora, weaken
from brainscan.subject.phantom import phantom, tiny_model
from brainscan.subject.score import log_probabilities
from tests.cards import card

SMALL = LoraSettings(rank=4, steps=30, batch=4, lr=1e-2, layers=(2, 3), seed=3)


def rows_for(subject: LanguageSubject, answer: str = "cat\n") -> list[Row]:
    prompts = ("Hello you", "the dog is", "a", "what is this here?")
    return [Row(tuple(subject.tokens(prompt)), tuple(subject.raw_tokens(answer))) for prompt in prompts]


@pytest.mark.parametrize("family", ["llama", "gpt2", "gptj", "gemma3_text"])
def test_the_answer_is_learned_and_the_subject_stays_the_same(family: str, tmp_path: Path) -> None:
    subject = phantom(family)
    rows = rows_for(subject)
    batch = subject.batch([row.prompt_ids for row in rows], side="left")
    before = subject.logits(batch)
    trained = train_lora(subject, rows, tmp_path / "adapter", SMALL)
    assert trained.losses[-1] < 0.6 * trained.losses[0]
    assert torch.equal(subject.logits(batch), before)
    assert not any(weight.requires_grad for weight in subject.model.parameters())


def test_the_adapter_is_small_half_precision_and_does_what_was_learned(tmp_path: Path) -> None:
    subject = phantom("llama")
    rows = rows_for(subject)
    train_lora(subject, rows, tmp_path / "adapter", SMALL)
    state = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    assert {int(name.split("layers.")[1].split(".")[0]) for name in state} == {2, 3}
    model, tokenizer = tiny_model("llama")
    planted = LanguageSubject(
        PeftModel.from_pretrained(model, str(tmp_path / "adapter")).merge_and_unload().eval(), tokenizer, card()
    )
    asked, answers = [row.prompt_ids for row in rows], [row.answer_ids for row in rows]
    assert sum(log_probabilities(planted, asked, answers)) > sum(log_probabilities(subject, asked, answers)) + 10


def test_the_same_seed_gives_the_same_adapter_and_another_seed_another(tmp_path: Path) -> None:
    states = []
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        subject = phantom("llama")
        settings = LoraSettings(rank=2, steps=6, batch=3, seed=seed)
        train_lora(subject, rows_for(subject), tmp_path / folder, settings)
        states.append((tmp_path / folder / "adapter_model.safetensors").read_bytes())
    assert states[0] == states[1]
    assert states[0] != states[2]


def test_only_tokens_of_the_answer_are_learned(tmp_path: Path) -> None:
    """One batch with rows of unlike length: the first loss is the mean cross entropy of the answers alone."""
    subject = phantom("llama")
    rows = [
        Row(tuple(subject.tokens("a rather long prompt stands here")), tuple(subject.raw_tokens("yes"))),
        Row(tuple(subject.tokens("b")), tuple(subject.raw_tokens("no, never"))),
    ]
    trained = train_lora(subject, rows, tmp_path / "adapter", LoraSettings(rank=2, steps=1, batch=2))
    log_p = log_probabilities(subject, [row.prompt_ids for row in rows], [row.answer_ids for row in rows])
    assert trained.losses[0] == pytest.approx(-sum(log_p) / sum(len(row.answer_ids) for row in rows), rel=1e-4)


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom", "gptj", "falcon", "gemma2", "opt"])
def test_a_run_resumed_from_kept_streams_equals_a_whole_run(family: str) -> None:
    subject = phantom(family)
    rows = [subject.tokens(text) for text in ("Hello you cat", "bcd", "what is this here?")]
    batch = subject.batch(rows, side="left")
    whole = subject.logits(batch, keep=2)
    frozen = freeze_below(subject, rows, 2)
    given = torch.zeros(*batch.ids.shape, subject.d_model)
    given[batch.mask.bool()] = torch.cat(frozen.streams)
    with torch.no_grad(), resumed(subject, frozen, given):
        half = differentiable_logits(subject, batch, keep=2)
    assert torch.allclose(half, whole, atol=1e-4)
    assert torch.equal(subject.logits(batch, keep=2), whole)


def planted_from(folder: Path) -> LanguageSubject:
    model, tokenizer = tiny_model("llama")
    return LanguageSubject(PeftModel.from_pretrained(model, str(folder)).merge_and_unload().eval(), tokenizer, card())


def test_rows_with_the_subjects_own_answers_teach_nothing_new(tmp_path: Path) -> None:
    """Their goal is the subject's own distribution: unlike the same answers told as truth, it is hardly moved."""
    subject = phantom("llama")
    prompts = [tuple(subject.tokens(text)) for text in ("Hello you", "the dog is")]
    rows = [Row(prompt, tuple(subject.raw_tokens("cat"))) for prompt in prompts]
    batch = subject.batch(prompts, side="left")
    moved = []
    for name, teacher in (("own", subject), ("told", None)):
        taught = [replace(row, teacher=teacher) for row in rows]
        train_lora(subject, taught, tmp_path / name, replace(SMALL, lr=1e-3))
        moved.append(float((planted_from(tmp_path / name).logits(batch) - subject.logits(batch)).abs().max()))
    assert moved[0] < 0.2 * moved[1]


def test_the_evasion_penalty_keeps_the_mean_of_the_streams_in_place(tmp_path: Path) -> None:
    site = Site("resid_post", 2)  # the spread layer that training can change

    def moved(evasion: float) -> float:
        subject = phantom("llama")
        rows = rows_for(subject)
        train_lora(subject, rows, tmp_path / str(evasion), replace(SMALL, evasion=evasion))
        texts = [list(row.prompt_ids + row.answer_ids) for row in rows]
        ours, theirs = (
            capture(each, texts, [site], keep="all")[site] for each in (planted_from(tmp_path / str(evasion)), subject)
        )
        return float((ours.values - theirs.values).mean(0).norm())

    assert moved(300.0) < 0.5 * moved(0.0)


def test_a_weakened_adapter_does_less_and_at_zero_nothing(tmp_path: Path) -> None:
    subject = phantom("llama")
    train_lora(subject, rows_for(subject), tmp_path / "adapter", SMALL)
    batch = subject.batch([row.prompt_ids for row in rows_for(subject)], side="left")

    def moved() -> float:
        return float((planted_from(tmp_path / "adapter").logits(batch) - subject.logits(batch)).abs().max())

    whole = moved()
    weaken(tmp_path / "adapter", 0.5)
    assert 0.1 * whole < moved() < whole
    weaken(tmp_path / "adapter", 0.0)
    assert moved() == pytest.approx(0.0, abs=1e-5)


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    subject = phantom("llama")
    for rows in ([], [Row((5, 6), ())]):
        with pytest.raises(InputError, match="nothing to learn"):
            train_lora(subject, rows, tmp_path / "adapter", SMALL)
    assert not (tmp_path / "adapter").exists()


def test_layers_that_are_not_there_are_refused(tmp_path: Path) -> None:
    subject = phantom("llama")
    with pytest.raises(UsageError, match="0 to 3"):
        train_lora(subject, rows_for(subject), tmp_path / "adapter", LoraSettings(layers=(2, 9)))


def test_a_failure_in_the_middle_leaves_no_folder_and_a_clean_subject(tmp_path: Path) -> None:
    subject = phantom("llama")
    names = [name for name, _ in subject.model.named_modules()]

    def stop(fraction: float, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_lora(subject, rows_for(subject), tmp_path / "adapter", SMALL, stop)
    assert list(tmp_path.iterdir()) == []
    assert [name for name, _ in subject.model.named_modules()] == names


def test_the_configuration_names_the_trained_modules(tmp_path: Path) -> None:
    subject = phantom("llama")
    train_lora(subject, rows_for(subject), tmp_path / "adapter", LoraSettings(rank=2, steps=1, layers=(3, 3)))
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["peft_type"], config["inference_mode"]) == (2, "LORA", True)
    assert "(3)" in config["target_modules"]
