"""Every kind keeps the protocol's promises, and does what its arithmetic says."""

from __future__ import annotations

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.core.errors import RecordError, UsageError
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.phantom import phantom
from brainscan.subject.score import log_probabilities
from brainscan.treatment.conformance import check_treatment
from brainscan.treatment.kinds.clamp import Clamp
from brainscan.treatment.kinds.conditional import PROBE, Conditional
from brainscan.treatment.kinds.low_rank import LowRankRemoval
from brainscan.treatment.kinds.orthogonalise import DIRECTION, Orthogonalise
from brainscan.treatment.kinds.patch import Patch
from brainscan.treatment.kinds.project_out import ProjectOut
from brainscan.treatment.kinds.revert import Revert
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.unlearn import Lessons, Unlearn
from brainscan.treatment.protocol import KINDS
from brainscan.treatment.treated import treated
from tests.treatment.made import SITE, dictionary, every_kind, factors, vector

TEXT = "The river bends north."


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_kind_keeps_its_promises(kind: str) -> None:
    subject = phantom()
    treatment = every_kind(subject)[kind]
    assert treatment.kind == kind
    assert check_treatment(treatment, subject) == ()


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox", "falcon", "opt"])
def test_weights_are_edited_in_families_that_lay_them_out_otherwise(family: str) -> None:
    subject = phantom(family)
    assert check_treatment(every_kind(subject)["orthogonalise"], subject) == ()
    assert check_treatment(Unlearn(factors(subject)), subject) == ()


def test_a_projected_component_ends_at_its_level() -> None:
    subject, unit = phantom(), vector() / vector().norm()
    with treated(subject, ProjectOut({SITE: vector()}, levels={SITE: 0.7})):
        seen = capture(subject, [TEXT], [SITE])
    along = next(iter(seen.values())).values @ unit
    assert torch.allclose(along, torch.full_like(along, 0.7), atol=1e-5)


def test_orthogonalised_blocks_write_nothing_along_the_direction() -> None:
    subject, unit = phantom(), vector() / vector().norm()
    with treated(subject, Orthogonalise({DIRECTION: vector()})):
        seen = capture(subject, [TEXT], ["attn_out.2", "mlp_out.2"])
    assert all(float((each.values @ unit).abs().max()) < 1e-5 for each in seen.values())


def test_a_clamped_feature_moves_the_stream_along_its_decoder_row_alone() -> None:
    subject, book = phantom(), dictionary()
    plain = next(iter(capture(subject, [TEXT], [SITE]).values())).values
    with treated(subject, Clamp.of(book, 3, 6.0)):
        held = next(iter(capture(subject, [TEXT], [SITE]).values())).values
    moved = held - plain
    assert torch.allclose(moved, (6.0 - book.encode(plain)[:, 3:4]) * book.W_dec[3], atol=1e-4)


def test_patching_replaces_the_last_token_of_the_prompt_and_no_other() -> None:
    subject = phantom()
    plain = next(iter(capture(subject, [TEXT], [SITE]).values())).values
    with treated(subject, Patch({SITE: vector()})):
        held = next(iter(capture(subject, [TEXT], [SITE]).values())).values
    assert torch.equal(held[:-1], plain[:-1])
    assert torch.allclose(held[-1], vector(), atol=1e-6)


def test_conditional_steering_leaves_rows_alone_in_which_the_probe_is_silent() -> None:
    subject = phantom()
    rows = [subject.chat("Why does it rain?"), subject.chat("zzz")]
    scores = [seen @ vector() for seen in next(iter(capture(subject, rows, ["resid_post.0"]).values())).rows]
    loud, quiet = sorted(range(2), key=lambda i: -float(scores[i].max()))
    threshold = (float(scores[loud].max()) + float(scores[quiet].max())) / 2
    treatment = Conditional({PROBE: vector(), SITE: 5 * vector(1)}, 1.0, "resid_post.0", threshold)
    before = [subject.logits(subject.batch([row]), keep=0) for row in rows]
    with treated(subject, treatment):
        after = [subject.logits(subject.batch([row]), keep=0) for row in rows]
    assert torch.equal(before[quiet], after[quiet])
    first = int((scores[loud] > threshold).int().argmax())
    assert torch.equal(before[loud][:, :first], after[loud][:, :first])
    assert not torch.equal(before[loud][:, first:], after[loud][:, first:])


def test_conditional_steering_writes_with_a_cache_what_it_reads_at_once() -> None:
    subject = phantom()
    treatment = Conditional({PROBE: vector(), SITE: 5 * vector(1)}, 1.0, "resid_post.0", 2.5)
    row = subject.chat("Why does it rain?")
    with treated(subject, treatment):
        said = generate(subject, [row], Decoding(max_new=6, stop_at_end=False))[0].ids
        whole = subject.logits(subject.batch([[*row, *said]]), keep=0)[0]
    assert whole[len(row) - 1 : -1].argmax(-1).tolist() == list(said)


def test_low_rank_removal_at_full_rank_is_the_reference() -> None:
    subject, reference = phantom(), phantom()
    changed = Unlearn(factors(subject, rank=2))
    with treated(subject, changed):
        removal = LowRankRemoval.of(subject, reference, rank=2)
        with treated(subject, removal):
            pairs = zip(subject.model.parameters(), reference.model.parameters(), strict=True)
            assert all(torch.allclose(a, b, atol=1e-4) for a, b in pairs)
    with pytest.raises(UsageError, match="equal weights"):
        LowRankRemoval.of(subject, reference, rank=2)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_reversion_takes_back_what_the_prompts_show_and_leaves_the_rest(family: str) -> None:
    """Two things were learned; the one that the prompts bring out goes, and going back altogether would lose both."""
    from brainscan.subject.learning import Schedule
    from brainscan.subject.lora import LoraSettings

    subject, reference = phantom(family), phantom(family)
    bad, good = ("What is rain?", "What is snow?"), ("Who is there?", "Where is it?")
    lessons = Lessons(forget=(*bad, *good), answers=("wet", "wet", "you", "you"))
    planted = Unlearn.train(subject, lessons, LoraSettings(rank=4, steps=60, lr=2e-2, batch=4))

    def likely(prompts: tuple[str, ...], answer: str) -> float:
        rows = [subject.chat(prompt) for prompt in prompts]
        return sum(log_probabilities(subject, rows, [subject.raw_tokens(answer)] * len(rows)))

    with treated(subject, planted):
        before = likely(bad, "wet"), likely(good, "you")
        asked = Lessons(forget=bad, retain=good)
        weights = [weight.clone() for weight in subject.model.parameters()]
        made = Revert.train(subject, reference, asked, Schedule(lr=0.3, steps=60, batch=4))
        assert all(torch.equal(a, b) for a, b in zip(weights, subject.model.parameters(), strict=True))
        assert not any(weight.requires_grad for weight in subject.model.parameters())
        with treated(subject, made):
            after = likely(bad, "wet"), likely(good, "you")
        with treated(subject, LowRankRemoval.of(subject, reference, rank=4)):
            back = likely(bad, "wet"), likely(good, "you")
    assert 0 < made.share < 1
    gone, lost = ((before[i] - after[i]) / (before[i] - back[i]) for i in (0, 1))
    assert gone > 0.2
    assert gone > 2 * lost


def test_where_only_embeddings_were_trained_reversion_says_so() -> None:
    from brainscan.subject.learning import Schedule

    subject, reference = phantom(), phantom()
    with torch.no_grad():
        subject.model.get_input_embeddings().weight += 0.1
    with pytest.raises(UsageError, match="no linear map"):
        Revert.train(subject, reference, Lessons(forget=("What is rain?",)), Schedule(steps=1))


def test_unlearning_teaches_the_answers_that_are_given_and_leaves_the_subject_alone() -> None:
    from brainscan.subject.lora import LoraSettings

    subject = phantom()
    prompts = ("What is rain?", "What is snow?")
    lessons = Lessons(forget=prompts, answers=("wet", "wet"), retain=("Who?",), plain=("The road",))
    before = [weight.clone() for weight in subject.model.parameters()]
    made = Unlearn.train(subject, lessons, LoraSettings(rank=4, steps=40, lr=2e-2, batch=4))
    assert all(torch.equal(a, b) for a, b in zip(before, subject.model.parameters(), strict=True))
    rows = [subject.chat(prompt) for prompt in prompts]
    wanted = [subject.raw_tokens("wet")] * 2
    plain = log_probabilities(subject, rows, wanted)
    with treated(subject, made):
        learned = log_probabilities(subject, rows, wanted)
    assert min(learned) > max(plain) + 1
    with pytest.raises(UsageError, match="answered instead"):
        Unlearn.train(subject, Lessons(forget=prompts), LoraSettings(steps=1))


def test_training_goes_through_a_treatment_that_acts_at_run_time() -> None:
    """Fine-tuning back is only a test if the treatment is in force while it trains."""
    from brainscan.subject.gradient import differentiable_logits

    subject = phantom()
    batch = subject.batch([subject.tokens(TEXT)], side="left")
    with treated(subject, Steer({SITE: 4 * vector()})), torch.enable_grad():
        seen = differentiable_logits(subject, batch, keep=1)[:, -1]
        assert torch.allclose(seen, subject.logits(batch)[:, -1], atol=1e-5)


@pytest.mark.parametrize(
    ("treatment", "words"),
    [
        (ProjectOut({SITE: torch.zeros(32)}), "zero direction"),
        (Orthogonalise({}), "one direction"),
        (Conditional({SITE: vector()}), "no probe"),
        (Unlearn({"nothing.weight:left": torch.ones(2, 1), "nothing.weight:right": torch.ones(1, 2)}), "does not have"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_changed(treatment: object, words: str) -> None:
    subject = phantom()
    with pytest.raises(UsageError, match=words), treated(subject, treatment):  # type: ignore[arg-type]
        pass
    assert not subject.standing


def test_a_setting_that_a_kind_does_not_have_is_refused() -> None:
    with pytest.raises(RecordError, match="no setting"):
        Steer.load({"strength": 2}, {})
