"""The stream: which rows, in which order, in how much memory, and resuming with the same bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.activations.capture import capture
from brainscan.activations.contexts import Cursor, Packer, Packing
from brainscan.activations.sources import Texts
from brainscan.activations.stream import MEGABYTE, ActivationBatch, ActivationStream, StreamConfig, StreamState
from brainscan.core.address import Site
from brainscan.core.errors import InputError, RecordError, SiteUnavailable, UsageError
from brainscan.subject.phantom import phantom

SUBJECT = phantom("llama")
SOURCE = Texts(tuple(f"Text {i} of some words, number {i * i}." for i in range(90)))
CONFIG = StreamConfig(
    sites=("resid_post.1", "mlp_act.2", "head_out.0"), context=16, batch=32, memory=2 * MEGABYTE, window=8, seed=3
)


def rows(stream: ActivationStream) -> list[ActivationBatch]:
    return list(stream)


def equal(a: ActivationBatch, b: ActivationBatch) -> bool:
    return torch.equal(a.tokens, b.tokens) and all(torch.equal(a.values[s], b.values[s]) for s in a.values)


def test_a_context_that_the_model_cannot_read_is_refused() -> None:
    short = phantom("gpt2", n_positions=24)
    with pytest.raises(InputError, match="reads at most 24"):
        ActivationStream(short, SOURCE, CONFIG.model_copy(update={"context": 25}))
    assert ActivationStream(short, SOURCE, CONFIG.model_copy(update={"context": 24}))


def test_every_site_is_read_in_one_pass_and_rows_belong_together() -> None:
    stream = ActivationStream(SUBJECT, SOURCE, CONFIG)
    batch = next(iter(stream))
    assert {str(site): tuple(x.shape) for site, x in batch.values.items()} == {
        "resid_post.1": (32, 32),
        "mlp_act.2": (32, 64),
        "head_out.0": (32, 32),
    }
    window = next(stream.packer.windows(Cursor())).rows
    alone = capture(SUBJECT, [row.tolist() for row in window], CONFIG.sites)
    for site, x in batch.values.items():
        there = alone[site].values.flatten(1)
        near = torch.cdist(x, there).argmin(1)
        torch.testing.assert_close(x, there[near], atol=1e-4, rtol=1e-4)
        assert [int(window.reshape(-1)[i]) for i in near] == batch.tokens.tolist()


def test_the_first_positions_and_special_tokens_are_left_out() -> None:
    special = set(SUBJECT.tokenizer.all_special_ids)
    config = CONFIG.model_copy(update={"sites": ("resid_pre.0",), "batch": 1, "window": 64})
    packer = ActivationStream(SUBJECT, SOURCE, config).packer
    kept = [b.tokens for b in ActivationStream(SUBJECT, SOURCE, config)]
    whole = torch.cat([torch.from_numpy(w.rows) for w in packer.windows(Cursor())])
    wanted = [t for t in whole[:, 1:].flatten().tolist() if t not in special]
    assert sorted(torch.cat(kept).tolist()) == sorted(wanted)
    everything = config.model_copy(update={"skip": 0, "drop_special": False})
    assert sum(len(b.tokens) for b in ActivationStream(SUBJECT, SOURCE, everything)) == whole.numel()


def test_bos_begins_every_row_when_asked_and_documents_are_parted() -> None:
    windows = list(Packer(SOURCE, SUBJECT, Packing(context=16, bos=True, window=1)).windows(Cursor()))
    ids = torch.cat([torch.from_numpy(w.rows) for w in windows])
    assert (ids[:, 0] == SUBJECT.tokenizer.bos_token_id).all()
    text = SUBJECT.text(ids[:, 1:].flatten().tolist(), special=True)
    assert text.startswith("Text 0 of some words, number 0.</s>Text 1 of")
    plain = next(Packer(SOURCE, SUBJECT, Packing(context=16)).windows(Cursor()))
    assert (plain.rows[:, 0] != SUBJECT.tokenizer.bos_token_id).any(), "this tokenizer adds no BOS of its own"


def test_the_order_is_seeded_and_another_on_every_pass() -> None:
    def tokens(**changes: object) -> list[int]:
        config = CONFIG.model_copy(update={"sites": ("resid_pre.0",), **changes})
        return torch.cat([b.tokens for b in ActivationStream(SUBJECT, SOURCE, config)]).tolist()

    once = tokens()
    assert once == tokens()
    other = tokens(seed=4)
    assert once != other and len(set(once) ^ set(other)) == 0
    twice = tokens(passes=2)
    assert twice[: len(once) // 2] == once[: len(once) // 2]
    assert twice[len(once) - 32 : len(once) + 32] != once[-32:] + once[:32]


@pytest.mark.parametrize("stop", [0, 1, 2, 3, 7, 20])
def test_resuming_gives_the_same_bits(stop: int) -> None:
    config = CONFIG.model_copy(update={"passes": 2})
    whole = rows(ActivationStream(SUBJECT, SOURCE, config))
    assert len(whole) > 30
    first = ActivationStream(SUBJECT, SOURCE, config)
    for _, _batch in zip(range(stop), first, strict=False):
        pass
    state = StreamState.model_validate_json(first.state().model_dump_json())
    rest = rows(ActivationStream(SUBJECT, SOURCE, config, state=state))
    assert len(rest) == len(whole) - stop
    assert all(equal(a, b) for a, b in zip(rest, whole[stop:], strict=True))


def test_a_state_of_other_texts_or_settings_is_refused() -> None:
    state = ActivationStream(SUBJECT, SOURCE, CONFIG).state()
    for source, config in (
        (Texts(("other text, long enough for it",) * 9), CONFIG),
        (SOURCE, CONFIG.model_copy(update={"seed": 9})),
    ):
        with pytest.raises(RecordError, match="another stream"):
            ActivationStream(SUBJECT, source, config, state=state)


def test_a_memory_that_is_too_small_says_how_much_is_needed() -> None:
    with pytest.raises(UsageError, match=r"Give about \d+ MB"):
        ActivationStream(SUBJECT, SOURCE, CONFIG.model_copy(update={"memory": 1000}))


@settings(max_examples=15, deadline=None)
@given(memory=st.integers(1, 64), window=st.integers(1, 200), context=st.integers(2, 64))
def test_the_buffer_stays_within_the_memory(memory: int, window: int, context: int) -> None:
    config = CONFIG.model_copy(update={"memory": memory * MEGABYTE, "window": window, "context": context, "batch": 16})
    try:
        stream = ActivationStream(SUBJECT, SOURCE, config)
    except UsageError:
        return
    a_row = 4 * sum(stream.widths.values()) + 12
    assert stream._sizes.rows * context * a_row + 2 * config.batch * a_row <= config.memory
    assert 1 <= stream._sizes.rows <= max(window, 1)


def test_bad_asks_are_refused_in_words() -> None:
    def ask(**changes: object) -> Callable[[], ActivationStream]:
        return lambda: ActivationStream(SUBJECT, SOURCE, CONFIG.model_copy(update=changes))

    for make, error in (
        (ask(sites=("resid_post.99",)), SiteUnavailable),
        (ask(sites=("attn_probs.1",)), UsageError),
        (ask(sites=()), UsageError),
        (ask(context=1), InputError),
    ):
        with pytest.raises(error):
            make()
    with pytest.raises(InputError, match="less than one context"):
        list(ActivationStream(SUBJECT, Texts(("short",)), CONFIG))


def test_nothing_is_lost_in_silence() -> None:
    config = CONFIG.model_copy(update={"sites": ("resid_pre.0",), "skip": 0, "drop_special": False, "batch": 50})
    stream = ActivationStream(SUBJECT, SOURCE, config)
    given_out = sum(len(b.tokens) for b in stream)
    packed = sum(w.rows.size for w in stream.packer.windows(Cursor()))
    assert given_out + stream.dropped == packed
    assert stream.dropped > 0


def test_site_spellings_of_others_are_understood() -> None:
    stream = ActivationStream(SUBJECT, SOURCE, CONFIG.model_copy(update={"sites": ("blocks.1.hook_resid_post",)}))
    assert list(stream.widths) == [Site("resid_post", 1)]


_ENDLESS = """
import resource, sys
from brainscan.activations.stream import MEGABYTE, ActivationStream, StreamConfig
from brainscan.subject.phantom import phantom

class Endless:
    name = "endless"
    def identity(self):
        return "endless"
    def texts(self, skip=0):
        while True:
            yield f"A text that never ends, number {skip}. " * 20
            skip += 1

config = StreamConfig(sites=("resid_post.1",), context=32, batch=256, memory=24 * MEGABYTE, window=128)
seen = 0
for batch in ActivationStream(phantom("llama"), Endless(), config):
    seen += len(batch.tokens)
    if seen >= int(sys.argv[1]):
        break
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_is_flat_in_the_length_of_the_stream() -> None:
    peaks = [
        int(subprocess.run([sys.executable, "-c", _ENDLESS, str(n)], capture_output=True, text=True, check=True).stdout)
        for n in (8_000, 60_000)
    ]
    assert peaks[1] - peaks[0] < 24, f"60,000 tokens took {peaks[1] - peaks[0]} MB more than 8,000"
