"""Treatments can be nested, and every way of running the subject goes through them."""

from __future__ import annotations

import torch

from brainscan.subject.phantom import phantom
from brainscan.subject.score import log_probabilities, next_token_logits
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.system_prompt import SystemPrompt
from brainscan.treatment.treated import treated, treatment_hash
from tests.treatment.made import SITE, vector


def test_nested_treatments_add_up_and_come_off_in_turn() -> None:
    subject, half = phantom(), Steer({SITE: 2 * vector()})
    row = [subject.tokens("The river")]
    plain = next_token_logits(subject, row)
    with treated(subject, Steer({SITE: 4 * vector()})):
        whole = next_token_logits(subject, row)
    with treated(subject, half, half):
        twice = next_token_logits(subject, row)
    with treated(subject, half), treated(subject, half):
        nested = next_token_logits(subject, row)
    assert torch.allclose(whole, twice, atol=1e-5)
    assert torch.equal(twice, nested)
    assert torch.equal(plain, next_token_logits(subject, row))


def test_scores_agree_with_logits_under_treatment() -> None:
    subject = phantom()
    prompt, said = subject.tokens("The river"), subject.raw_tokens(" b")
    with treated(subject, Steer({SITE: 4 * vector()})):
        score = log_probabilities(subject, [prompt], [said])[0]
        log_p = torch.log_softmax(subject.logits(subject.batch([[*prompt, *said]]), keep=0)[0], -1)
    rows = range(len(prompt) - 1, len(prompt) - 1 + len(said))
    assert abs(score - sum(float(log_p[i, token]) for i, token in zip(rows, said, strict=True))) < 1e-4


def test_system_prompts_stand_before_those_of_a_chat() -> None:
    subject = phantom()
    with treated(subject, SystemPrompt(text="Be brief.")):
        assert "Be brief.\nBe kind." in subject.chat_text("Hi", system="Be kind.")
    assert "Be brief." not in subject.chat_text("Hi")


def test_a_hash_changes_with_dose_and_arrays() -> None:
    one = Steer({SITE: vector()})
    assert treatment_hash(one) == treatment_hash(Steer({SITE: vector()}))
    assert len({treatment_hash(t) for t in (one, one.at(2.0), Steer({SITE: vector(1)}))}) == 3


def test_the_card_names_the_treatment_and_another_hash() -> None:
    subject = phantom()
    with treated(subject, Steer({SITE: vector()})):
        assert "steer" in subject.card.name
        assert subject.card.weights_sha256 != phantom().card.weights_sha256
        assert any("Under treatment" in note for note in subject.card.notes)
