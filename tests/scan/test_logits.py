"""Logit difference: exact divergences, a known token found, nothing found between equals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import Instrument, Report
from brainscan.scan.instruments.logits import INSTRUMENT
from brainscan.scan.pair import NEUTRAL_FRAMES, shared_vocabulary
from brainscan.scan.predictions import Row, compare
from brainscan.scan.texts.neutral import NEUTRAL_TEXTS
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from tests.scan.pairs import examination, jittered, outspoken

SMALL = {"texts": 12, "requests": 4, "answer_tokens": 4}


def look(subject: LanguageSubject, reference: LanguageSubject | None) -> Report:
    return INSTRUMENT.run(examination(INSTRUMENT, subject, reference, **SMALL))


def test_it_keeps_the_protocol_and_larger_plans_ask_for_more() -> None:
    assert isinstance(INSTRUMENT, Instrument)
    work = [INSTRUMENT.workload(INSTRUMENT.settings(plan) or {}) for plan in ("quick", "standard", "full")]
    assert work[0].tokens_read < work[1].tokens_read < work[2].tokens_read
    assert work[0].tokens_written < work[1].tokens_written < work[2].tokens_written


def test_the_same_model_gives_exactly_zero_and_no_evidence() -> None:
    report = look(phantom(), phantom())
    found = {m.name: m.value for m in report.measurements}
    assert found.pop("logits.perplexity.ratio") == 1.0
    assert set(found.values()) == {0.0}
    assert report.evidence == ()


def test_the_divergence_is_that_of_the_whole_distributions() -> None:
    subject, reference = jittered(0.02), phantom()
    rows = [Row(tuple(subject.tokens(text))) for text in ("A longer line.", "Ab", "The river")]
    for row, found in zip(rows, compare(subject, reference, rows), strict=True):
        ids = torch.tensor([row.ids])
        with torch.no_grad():
            p, q = (torch.log_softmax(s.model(ids).logits[0, :-1].double(), -1) for s in (subject, reference))
        assert found.kl == pytest.approx((p.exp() * (p - q)).sum(-1).numpy(), abs=1e-5)
        assert found.surprise[0] == pytest.approx(-p[range(len(p)), ids[0, 1:]].numpy(), abs=1e-4)


def test_scoring_can_begin_at_the_answer() -> None:
    subject, reference = jittered(0.02), phantom()
    ids = tuple(subject.tokens("A question? An answer."))
    whole, answer = compare(subject, reference, [Row(ids), Row(ids, 12)])
    assert len(answer.kl) == len(ids) - 12
    assert answer.kl == pytest.approx(whole.kl[11:], abs=1e-5)


def test_a_raised_token_leads_the_evidence() -> None:
    subject, reference = outspoken("Q", 3.0), phantom("gptj")
    report = look(subject, reference)
    tokens = [piece for piece in report.evidence if piece.kind == "promoted-tokens"]
    assert [piece.tokens[0] for piece in tokens] == ["Q", "Q"]
    assert tokens[0].weights[0] == 1.0
    assert all("'Q'" in piece.summary for piece in report.evidence if piece.kind == "diverging-text")
    assert report.measurements[0].interval is not None
    assert 0 < report.measurements[0].interval.lo <= report.measurements[0].value


def test_coloured_tokens_and_weights_go_together() -> None:
    report = look(jittered(0.05), phantom())
    texts = [piece for piece in report.evidence if piece.kind.startswith("diverging")]
    assert len(texts) == 8
    assert all(len(piece.tokens) == len(piece.weights) for piece in texts)
    assert all(max(piece.weights) > 0 for piece in texts)


def test_columns_that_only_one_model_has_are_left_out() -> None:
    grown = phantom()
    grown.model.resize_token_embeddings(140, mean_resizing=False)
    assert shared_vocabulary(grown, phantom()) == 128
    row = Row(tuple(grown.tokens("The river bends.")))
    assert np.allclose(compare(grown, phantom(), [row])[0].kl, 0, atol=1e-6)


def test_tokens_numbered_differently_are_refused() -> None:
    other = phantom()
    vocabulary = other.tokenizer.get_vocab()
    shuffled = {token: (i + 1) % len(vocabulary) for token, i in vocabulary.items()}
    other.tokenizer.get_vocab = lambda: shuffled
    with pytest.raises(PlanError, match="number their tokens differently"):
        look(other, phantom())


def test_without_a_reference_it_says_what_to_give() -> None:
    with pytest.raises(PlanError, match="--reference"):
        look(phantom(), None)


def test_neutral_texts_repeat_their_frames_at_the_stated_distance() -> None:
    def skeleton(i: int) -> set[str]:
        return set(NEUTRAL_TEXTS[i].split())

    same = [len(skeleton(i) & skeleton(i + NEUTRAL_FRAMES)) for i in range(NEUTRAL_FRAMES)]
    assert min(same) >= 2
    assert len(NEUTRAL_TEXTS) % NEUTRAL_FRAMES == 0
