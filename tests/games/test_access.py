"""A tier gives what it says and no more, and every token is counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from brainscan.core.evidence import Cost
from brainscan.games.access import Access, Ask, Meter
from brainscan.games.rules import TIERS, BeyondTier, Budget, BudgetSpent, Rules, Tier, allows
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.phantom import phantom

SUBJECT, REFERENCE = phantom("llama", seed=1), phantom("llama", seed=0)
VERBS: dict[str, tuple[Tier, Callable[[Access], object]]] = {
    "sample": ("A0", lambda a: a.sample(["hi"], max_new=2)),
    "prefill": ("A1", lambda a: a.sample([Ask("hi", begun="Well")], max_new=2)),
    "plain": ("A1", lambda a: a.sample([Ask("Once", plain=True)], max_new=2)),
    "log_p": ("A1", lambda a: a.log_p(["hi"], ["yes"])),
    "next_tokens": ("A1", lambda a: a.next_tokens(["hi"])),
    "subject": ("A2", lambda a: a.subject),
    "activations": ("A2", lambda a: a.activations(["hi"], ["resid_post.1"])),
    "reference": ("A3", lambda a: a.reference.sample(["hi"], max_new=2)),
    "weights": ("A4", lambda a: a.weights()),
    "tuned": ("A5", lambda a: a.tuned("hi", "ho", steps=1)),
}


def access(tier: Tier = "A5", tokens: int | None = None) -> Access:
    return Access("m01", Rules(tier=tier, budget=Budget(tokens=tokens)), SUBJECT, REFERENCE)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_tier_gives_its_verbs_and_no_other(tier: Tier, verb: str) -> None:
    needed, act = VERBS[verb]
    with access(tier) as given:
        if allows(tier, needed):
            assert act(given) is not None
            assert not given.fouls
        else:
            with pytest.raises(BeyondTier, match=f"Tier {tier} does not allow"):
                act(given)
            assert given.fouls


def test_sampling_is_the_models_own_and_counted_to_the_token() -> None:
    ids = [SUBJECT.chat("hello"), SUBJECT.chat("a longer prompt")]
    plain = generate(SUBJECT, ids, Decoding(max_new=5, stop_at_end=False))
    with access() as given:
        said = given.sample(["hello", "a longer prompt"], max_new=5)
        cost = given.meter.cost()
    assert [text.startswith(one.text[: len(text)]) for one, text in zip(plain, said, strict=True)] == [True, True]
    assert cost.tokens_read == sum(map(len, ids))
    assert cost.tokens_written == 8  # four steps of two rows behind the pass that read the prompts


def test_the_reference_and_tuned_copies_run_on_the_same_meter() -> None:
    with access() as given:
        given.reference.sample(["hello"], max_new=1)
        after_reference = given.meter.read
        copy = given.tuned("hello", "xyz", steps=2)
        after_training = given.meter.read
        copy.sample(["hello"], max_new=1)
        assert 0 < after_reference < after_training < given.meter.read


def test_tuning_moves_the_copy_and_leaves_the_model() -> None:
    with access() as given:
        before = given.log_p(["hello"], ["xyz"])[0]
        copy = given.tuned("hello", "xyz", steps=16)
        assert copy.log_p(["hello"], ["xyz"])[0] > before
        assert given.log_p(["hello"], ["xyz"])[0] == pytest.approx(before, abs=1e-4)


def test_the_pass_beyond_the_budget_is_refused_before_it_runs() -> None:
    with access(tokens=40) as given:
        with pytest.raises(BudgetSpent, match="of 40 tokens are used"):
            for _ in range(9):
                given.sample(["hello"], max_new=4)
        assert given.meter.read + given.meter.written <= 40


def test_processor_time_is_a_budget_too() -> None:
    ticks = iter(range(0, 10_000, 40))
    meter = Meter(Budget(tokens=None, cpu_minutes=1.0), clock=lambda: float(next(ticks)))
    meter.spend(1, 0)
    with pytest.raises(BudgetSpent, match="1 CPU minutes are used"):
        meter.spend(1, 0)


def test_what_was_done_earlier_is_charged_as_if_it_were_done_now() -> None:
    meter = Meter(Budget(tokens=100, cpu_minutes=1.0), clock=lambda: 0.0)
    meter.charge(Cost(seconds=50.0, tokens_read=60, tokens_written=10))
    for cost in (Cost(seconds=11.0), Cost(seconds=1.0, tokens_read=31)):
        with pytest.raises(BudgetSpent):
            meter.charge(cost)
    assert meter.cost() == Cost(seconds=50.0, tokens_read=60, tokens_written=10)
    meter.charge(Cost(seconds=10.0))
    with pytest.raises(BudgetSpent, match="70 of 100 tokens are used"):
        meter.spend(31, 0)


def test_outside_the_block_nothing_is_counted_and_no_hook_stays() -> None:
    with access() as given:
        given.sample(["hello"], max_new=1)
    before = given.meter.read
    SUBJECT.logits(SUBJECT.batch([[5, 6]]))
    assert given.meter.read == before
    assert not SUBJECT.body._forward_pre_hooks


def test_what_the_verbs_hand_out() -> None:
    with access() as given:
        nexts = given.next_tokens(["hello"], top=3)[0]
        assert len(nexts) == 3 and max(nexts.values()) <= 0
        assert list(nexts.values()) == sorted(nexts.values(), reverse=True)
        best = next(iter(nexts))
        assert given.log_p(["hello"], [best])[0] == pytest.approx(nexts[best], abs=1e-3)
        found = given.activations(["hello", Ask("once", plain=True)], ["resid_post.2"])
        assert next(iter(found.values())).values.shape == (2, SUBJECT.d_model)
        assert all(isinstance(weight, torch.Tensor) for weight in given.weights().values())
