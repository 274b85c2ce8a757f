"""Generation: order, seeds, ends, and two subjects in step. Agreement with transformers is in test_families."""

from __future__ import annotations

import torch

from brainscan.subject.generate import Decoding, generate
from brainscan.subject.phantom import phantom

SUBJECT = phantom("llama")
PROMPTS = [SUBJECT.tokens(t) for t in ("A long prompt comes first here.", "b", "Then a middle one.")]


def test_it_is_transformers_own_greedy_generation() -> None:
    ours = generate(SUBJECT, PROMPTS, Decoding(max_new=8, stop_at_end=False))
    for prompt, answer in zip(PROMPTS, ours, strict=True):
        ids = torch.tensor([prompt])
        theirs = SUBJECT.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=8,
            min_new_tokens=8,
            do_sample=False,
            eos_token_id=None,
        )
        assert list(answer.ids) == theirs[0, len(prompt) :].tolist()


def test_answers_do_not_depend_on_who_else_is_in_the_batch() -> None:
    sampled = Decoding(max_new=6, temperature=1.0, seed=3, stop_at_end=False)
    together = generate(SUBJECT, PROMPTS, sampled)
    in_pairs = generate(SUBJECT, PROMPTS, Decoding(6, 1.0, seed=3, stop_at_end=False, rows=2))
    assert [a.ids for a in together] == [a.ids for a in in_pairs]


def test_a_seed_repeats_and_another_differs() -> None:
    def answers(seed: int) -> list[tuple[int, ...]]:
        return [a.ids for a in generate(SUBJECT, PROMPTS, Decoding(12, 1.0, seed=seed, stop_at_end=False))]

    assert answers(1) == answers(1)
    assert answers(1) != answers(2)


def test_a_row_stops_at_its_own_end_token() -> None:
    first = generate(SUBJECT, PROMPTS, Decoding(max_new=4, stop_at_end=False))
    end = first[0].ids[1]
    before = SUBJECT.model.generation_config.eos_token_id
    SUBJECT.model.generation_config.eos_token_id = end
    try:
        stopped = generate(SUBJECT, PROMPTS, Decoding(max_new=4))
    finally:
        SUBJECT.model.generation_config.eos_token_id = before
    assert stopped[0].ended and len(stopped[0].ids) == first[0].ids.index(end)
    assert all(end not in answer.ids for answer in stopped)


def test_top_p_of_nearly_nothing_is_greedy() -> None:
    greedy = generate(SUBJECT, PROMPTS, Decoding(5, stop_at_end=False))
    narrow = generate(SUBJECT, PROMPTS, Decoding(5, temperature=1.0, top_p=1e-9, stop_at_end=False))
    assert [a.ids for a in greedy] == [a.ids for a in narrow]


def test_entropies_fall_to_zero_with_certainty() -> None:
    answer = generate(SUBJECT, PROMPTS, Decoding(3, stop_at_end=False))[0]
    assert len(answer.entropies) == 3
    assert all(0 <= h <= torch.tensor(128.0).log().item() + 1e-4 for h in answer.entropies)


def test_two_subjects_in_step_combine_their_logits() -> None:
    other = phantom("llama", seed=9)
    alone = generate(other, PROMPTS, Decoding(5, stop_at_end=False))
    mixed = generate(
        SUBJECT, PROMPTS, Decoding(5, stop_at_end=False), beside=[other], mix=lambda both: both[0] * 0 + both[1]
    )
    assert [a.ids for a in mixed] == [a.ids for a in alone]


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    generate(SUBJECT, PROMPTS, Decoding(1, rows=1), progress=lambda fraction, words: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] == 1.0
