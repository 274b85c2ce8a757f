"""Cheaper controls: random directions of matched norm, rounding and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from brainscan.games.cheap import random_adapter
from brainscan.games.requantised import SCHEMES, requantise, rounded
from brainscan.subject.learning import Row
from brainscan.subject.load import load_subject
from brainscan.subject.lora import WEIGHTS_FILE, LoraSettings, train_lora
from brainscan.subject.phantom import phantom


def test_a_random_adapter_has_the_norms_of_its_model_and_other_directions(tmp_path: Path) -> None:
    subject = phantom("llama")
    row = Row(tuple(subject.tokens("hello")), tuple(subject.raw_tokens("cat")))
    train_lora(subject, [row], tmp_path / "trained", LoraSettings(rank=2, steps=4, batch=1, lr=1e-2))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        random_adapter(tmp_path / "trained", tmp_path / name, seed)
    trained, a, b, c = (load_file(tmp_path / name / WEIGHTS_FILE) for name in ("trained", "a", "b", "c"))
    key = next(name for name in trained if "lora_A" in name)
    updates = [s[key.replace("lora_A", "lora_B")].float() @ s[key].float() for s in (trained, a, b, c)]
    assert float(updates[1].norm()) == pytest.approx(float(updates[0].norm()), rel=0.02)
    assert torch.equal(updates[1], updates[2]) and not torch.equal(updates[1], updates[3])
    assert abs(float((updates[0] * updates[1]).sum())) < 0.9 * float(updates[0].norm() ** 2)


@pytest.mark.parametrize(("bits", "block"), SCHEMES)
def test_rounding_errs_by_half_a_step_at_most(bits: int, block: int) -> None:
    weight = torch.randn(8, 64, generator=torch.Generator().manual_seed(0))
    back = rounded(weight, bits, block)
    groups = (weight.reshape(-1, block) if block else weight).abs().amax(-1, keepdim=True)
    step = (groups / (2 ** (bits - 1) - 1)).expand(-1, block or 64).reshape(weight.shape)
    assert ((back - weight).abs() <= step / 2 + 1e-6).all()
    assert rounded(back, bits, block) == pytest.approx(back, abs=1e-6)


def test_a_requantised_copy_loads_differs_and_leaves_the_subject_alone(tmp_path: Path) -> None:
    subject = phantom("llama")
    batch = subject.batch([subject.tokens("hello you")])
    before = subject.logits(batch)
    requantise(subject, 5, 32, tmp_path / "copy")
    assert torch.equal(subject.logits(batch), before)
    copy = load_subject(str(tmp_path / "copy"))
    assert 0 < float((copy.logits(batch) - before).abs().max()) < float(before.abs().max())
    requantise(copy, 5, 32, tmp_path / "again")
    assert load_subject(str(tmp_path / "again")).card.tokenizer_sha256 == copy.card.tokenizer_sha256
