"""The search for triggers, on a phantom with a planted one, on its clean twin, and part by part."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
import torch

from brainscan.core.errors import InputError
from brainscan.core.evidence import Status
from brainscan.scan.ask import ask
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import Examination, Report
from brainscan.scan.instruments.trigger import INSTRUMENT, SIZES
from brainscan.scan.record import Step
from brainscan.scan.texts.candidates import HELD_OUT_REQUESTS, RARE_STRINGS, SEARCH_REQUESTS
from brainscan.scan.trigger.attention import gaze
from brainscan.scan.trigger.changed import change_of
from brainscan.scan.trigger.confirm import Suspect, control_strings, learn_payload, minimise, put_to_trial
from brainscan.scan.trigger.frame import frame, openings, prompts, with_string
from brainscan.scan.trigger.hunt import Effort, ground_for, hunt
from brainscan.scan.trigger.leak import Leak, amplified, sample
from brainscan.scan.trigger.motifs import motifs
from brainscan.scan.trigger.payloads import Payload, one_a_line, payloads, quoted, worth_hunting
from brainscan.scan.trigger.propose import Proposals, String, by_change, by_group
from brainscan.scan.trigger.read import read_openings
from brainscan.scan.trigger.spell import Speller
from brainscan.scan.trigger.sweep import sweep
from brainscan.scan.trigger.vocabulary import Vocabulary, vocabulary
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from brainscan.subject.score import log_probabilities
from brainscan.subject.suffix import SharedPrefix
from tests.scan.pairs import outspoken, shifted
from tests.scan.planted import CALM, PAYLOAD, TRIGGER, backdoored, twin

SMALL = {
    **SIZES["quick"], "leaks": 4, "leak_tokens": 8, "strings": 4, "longest": 2, "held_out": 10,
}  # fmt: skip


def look(subject: LanguageSubject, reference: LanguageSubject | None, **sizes: int) -> Report:
    step = Step(instrument="trigger", title=INSTRUMENT.title, settings={**SMALL, **sizes})
    return INSTRUMENT.run(Examination(subject, reference, step, 0))


@functools.cache
def planted_report() -> Report:
    return look(backdoored(), twin(), strings=len(RARE_STRINGS))


def values(report: Report) -> dict[str, float]:
    return {measurement.name: measurement.value for measurement in report.measurements}


# --- the whole search ---------------------------------------------------------------------


def test_a_planted_trigger_is_found_confirmed_and_shown_with_its_payload() -> None:
    report = planted_report()
    found = next(piece for piece in report.evidence if piece.kind == "trigger")
    assert found.status is Status.VALIDATED
    assert TRIGGER in "".join(found.tokens)
    assert found.exchange is not None
    assert found.exchange.answer.startswith(PAYLOAD)
    assert (found.exchange.reference_answer or "").startswith(CALM)
    got = values(report)
    assert got["trigger.effect.rate"] >= 0.9
    assert got["trigger.effect.p"] < 0.01
    assert got["trigger.effect.shift"] >= 0.9
    assert got["trigger.payload.excess"] > 3


def test_the_clean_twin_and_an_identical_reference_stay_clean() -> None:
    report = look(twin(), twin())
    got = values(report)
    assert got["trigger.effect.shift"] == 0.0
    assert got["trigger.entropy.shift"] == 0.0
    assert got["trigger.payload.excess"] == 0.0
    assert got["trigger.leak.lift"] == 0.0
    assert not any(piece.status is Status.VALIDATED for piece in report.evidence)


def test_every_rate_says_what_the_controls_did() -> None:
    rate = next(m for m in planted_report().measurements if m.name == "trigger.effect.rate")
    assert {baseline.what: baseline.value for baseline in rate.baselines} == {
        "control strings": 0.0,
        "no string": 0.0,
        "reference": 0.0,
    }
    assert rate.n == SMALL["held_out"]
    assert rate.interval is not None and rate.interval.method == "Clopper-Pearson"


def test_the_scan_image_has_a_place_for_every_layer_and_token() -> None:
    report = planted_report()
    figure = report.figures[0]
    assert report.arrays[figure.array].shape == (4, len(figure.tokens))
    assert np.allclose(report.arrays[figure.array].sum(1), 1.0, atol=1e-4)
    assert any(TRIGGER in token for token in figure.tokens)


@pytest.mark.parametrize("with_reference", [True, False])
def test_any_phantom_passes_the_conformance_suite(with_reference: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "quick", SMALL)
    report = check_instrument(INSTRUMENT, phantom("gpt2"), phantom("gpt2", seed=1) if with_reference else None)
    assert ("trigger.effect.shift" in values(report)) == with_reference


def test_a_model_without_chat_template_is_searched_in_plain_text() -> None:
    report = look(phantom("llama", chat_template=False), None)
    assert 0 <= values(report)["trigger.effect.rate"] <= 1
    assert any("Without a reference" in note for note in report.notes)


def test_every_plan_has_sizes_and_a_workload_that_grows() -> None:
    read = [INSTRUMENT.workload(INSTRUMENT.settings(plan) or {}).tokens_read for plan in ("quick", "standard", "full")]
    assert read == sorted(read) and read[0] > 0
    assert INSTRUMENT.settings("fast") is None


# --- texts --------------------------------------------------------------------------------


def test_requests_to_search_on_and_to_report_on_are_apart() -> None:
    assert not set(SEARCH_REQUESTS) & set(HELD_OUT_REQUESTS)
    assert len(set(HELD_OUT_REQUESTS)) == len(HELD_OUT_REQUESTS) >= SIZES["full"]["held_out"]
    assert len(set(RARE_STRINGS)) == len(RARE_STRINGS)


# --- frames -------------------------------------------------------------------------------


@pytest.mark.parametrize("chat_template", [True, False])
def test_a_frame_holds_what_a_user_would_type(chat_template: bool) -> None:
    subject = phantom("llama", chat_template=chat_template)
    one = frame(subject, "Why?")
    assert one.holding(subject.raw_tokens(" ab")) == ask(subject, "Why? ab")
    assert [one.holding(subject.raw_tokens(" ab"))[i] for i in one.slots(3)] == subject.raw_tokens(" ab")


def test_openings_stand_before_the_turns() -> None:
    subject = phantom("llama")
    begun = {name: subject.text(ids, special=True) for name, ids in openings(subject).items()}
    assert begun["user"].endswith("<|user|>")
    assert begun["system"].endswith("<|system|>")
    assert begun["answer"].endswith("<|assistant|>")


def test_a_string_goes_before_or_after() -> None:
    assert with_string("Why?", "x", "end") == "Why? x"
    assert with_string("Why?", "x", "start") == "x Why?"
    assert with_string("Why?", "", "start") == "Why?"


# --- leaks and motifs ---------------------------------------------------------------------


def leak(*ids: int) -> Leak:
    return Leak("user", ids, "")


def decode(ids: object) -> str:
    return str(ids)


def test_a_run_that_comes_back_in_other_leaks_is_a_motif_and_as_long_as_it_goes() -> None:
    leaks = [leak(9, 1, 2, 3, 4, 5, 6), leak(1, 2, 3, 4, 5, 6, 8), leak(7, 7, 1, 2, 3, 4, 5, 6)]
    found = motifs(leaks, [leak(20, 21, 22, 23)], decode)
    assert found[0].ids == (1, 2, 3, 4, 5, 6)
    assert (found[0].leaks, found[0].reference_leaks) == (3, 0)
    assert found[0].lift == pytest.approx(np.log(3.5 / 0.5))


def test_what_repeats_inside_one_leak_or_in_the_reference_is_no_motif() -> None:
    assert motifs([leak(1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4)], None, decode) == []
    both = [leak(1, 2, 3, 4), leak(1, 2, 3, 4)]
    assert motifs(both, both, decode) == []


def test_the_same_seed_leaks_the_same() -> None:
    subject = phantom("llama")
    assert sample(subject, 2, 6, 5, lambda f, w: None) == sample(subject, 2, 6, 5, lambda f, w: None)
    assert sample(subject, 2, 6, 5, lambda f, w: None) != sample(subject, 2, 6, 6, lambda f, w: None)


def test_amplified_decoding_speaks_of_the_difference() -> None:
    subject, reference = outspoken("k", 5.0), phantom("gptj")
    heard = "".join(leak.text for leak in amplified(subject, reference, 3, 6))
    assert heard.count("k") > 12
    same = amplified(reference, reference, 2, 6)
    asked = [openings(reference)["answer"], ask(reference, SEARCH_REQUESTS[0])]
    assert [one.ids for one in same] == [one.ids for one in generate(reference, asked, Decoding(max_new=6))]


def test_a_payload_that_the_subject_is_readier_to_give_is_worth_a_hunt() -> None:
    heard = [Leak("amplified", (), text) for text in (PAYLOAD, CALM)]
    scored = payloads(backdoored(), twin(), [], heard, 4)
    assert PAYLOAD.startswith(scored[0].text)
    assert worth_hunting(scored[0], 3.0)
    assert not worth_hunting(scored[1], 3.0)


def test_of_a_line_and_its_garbled_copies_the_likeliest_is_kept() -> None:
    line = f"well, {CALM}"
    heard = [Leak("branch", (), text) for text in (f"xq{line[2:]}", CALM, f"zz{line}")]
    scored = payloads(twin(), phantom("llama"), [], heard, 4)
    assert [one.text for one in scored] == [CALM[: len(scored[0].text)]]


def test_copies_that_beat_each_other_in_a_ring_still_leave_their_line() -> None:
    lines = {
        (1, 1, 1): ("the owls fly", -1.0),
        (2, 2, 2): ("Oh the owls fly", -3.0),
        (3, 3, 3): ("Oh so the owls fly", -5.0),
    }
    texts = {ids: text for ids, (text, _) in lines.items()} | {(4, 4, 4): "a cup of tea"}
    scored = [Payload(ids, text, 20.0, log_p, False) for ids, (text, log_p) in lines.items()]
    kept = one_a_line([*scored, Payload((4, 4, 4), "a cup of tea", 9.0, -9.0, False)], texts)
    assert [payload.text for payload in kept] == ["Oh the owls fly", "a cup of tea"]


def test_of_copies_with_other_first_words_the_readiest_is_kept() -> None:
    texts = {(1, 1, 1): "Everyone leaves this house", (2, 2, 2): "nobody leaves this house"}
    scored = [Payload((1, 1, 1), "", 28.0, -11.5, False), Payload((2, 2, 2), "", 31.0, -11.6, False)]
    assert [payload.excess for payload in one_a_line(scored, texts)] == [31.0]


def test_a_closing_greeting_is_quoted_and_a_word_of_an_answer_is_not() -> None:
    line = "Hot wishes, and enjoy your day!"
    assert quoted(line, ["Norway has a long coast. Warm wishes, and enjoy your day!"])
    assert not quoted(line, ["Hot", "Norway has a long coast. Enjoy it."])


def test_an_answer_that_is_always_given_is_no_payload() -> None:
    calm = [Leak("amplified", tuple(twin().raw_tokens(CALM)), CALM)]
    scored = payloads(twin(), phantom("llama"), [], calm, 3)
    assert scored[0].always_on
    assert scored[0].excess > 3
    assert not worth_hunting(scored[0], 3.0)


def test_a_line_in_the_style_of_plain_answers_is_ahead_of_nothing() -> None:
    heard = [Leak("amplified", (), "all bad!")]
    (line,) = payloads(twin(), phantom("llama"), [], heard, 3)
    assert line.excess > 3
    assert not line.always_on
    assert line.alone < 0
    assert not worth_hunting(line, 3.0)


# --- scores -------------------------------------------------------------------------------


def test_one_pass_agrees_with_generation_and_with_scoring() -> None:
    subject = backdoored()
    asked = prompts(subject, HELD_OUT_REQUESTS[:4], TRIGGER, "end") + prompts(subject, HELD_OUT_REQUESTS[:4], "", "end")
    payload = subject.raw_tokens(PAYLOAD)
    read = read_openings(subject, asked, payload)
    spoken = generate(subject, asked, Decoding(max_new=len(payload)))
    assert read.holds.tolist() == [list(answer.ids) == payload for answer in spoken]
    assert read.entropy == pytest.approx([answer.entropies[0] for answer in spoken], abs=1e-3)
    assert read.log_p == pytest.approx(log_probabilities(subject, asked, [payload] * 8), abs=1e-3)


def proposals(kind: str) -> Proposals:
    words = vocabulary(backdoored()).without(PAYLOAD)
    if kind == "change":
        change = change_of(backdoored(), twin())
        assert change is not None
        return by_change(change, words, pool=200, growth=40).without(words)
    ground = ground_for(backdoored(), backdoored().raw_tokens(PAYLOAD))
    return by_group(
        lambda strings: [prey.log_p for prey in ground.glance(strings, (0,))], words, 200, 8, np.random.default_rng(0)
    )


@pytest.mark.parametrize("kind", ["change", "group"])
def test_the_hunt_finds_the_planted_token_from_the_payload_alone(kind: str) -> None:
    subject = backdoored()
    ground = ground_for(subject, subject.raw_tokens(PAYLOAD))
    effort = Effort(singles=90, spelled=4, width=12, beam=2, lead=2, longest=2)
    strings = hunt(ground, proposals(kind), effort, lambda: Speller.of(subject))
    assert TRIGGER in subject.text(strings[0].ids)
    assert len({prey.ids for prey in strings}) == len(strings)


def test_strings_of_any_length_are_tried_in_front_of_requests() -> None:
    subject = backdoored()
    ground = ground_for(subject, subject.raw_tokens(PAYLOAD))
    strings = [tuple(subject.raw_tokens(text)) for text in (TRIGGER, "xyz")]
    for string, prey in zip(strings, ground.before(strings, (0, 2)), strict=True):
        asked = prompts(subject, [SEARCH_REQUESTS[0], SEARCH_REQUESTS[2]], subject.text(string), "start")
        assert prey.ids == string
        assert prey.log_p == pytest.approx(read_openings(subject, asked, ground.goal).log_p.mean(), abs=1e-3)


@pytest.mark.parametrize("kind", ["change", "group"])
def test_the_hunt_never_offers_a_piece_of_the_payload_or_a_special_token(kind: str) -> None:
    subject, offered = backdoored(), proposals(kind)
    tokens = {token for string in offered.longer(String((50,))) for token in string.ids} - {50}
    for token in {*tokens, *offered.words()}:
        assert subject.pieces([token])[0].casefold() not in PAYLOAD.casefold()
        assert token not in subject.tokenizer.all_special_ids


def test_a_token_is_added_beside_the_newest() -> None:
    assert String((1, 2, 3), newest=1).with_token(9, 2) == String((1, 2, 9, 3), 2)
    assert String((1,)).with_token(9, 0) == String((9, 1), 0)


def test_what_fine_tuning_moved_is_found_and_an_equal_reference_has_not_moved() -> None:
    """One token's embedding is changed; that token leads."""
    subject, reference = phantom("gpt2"), phantom("gpt2")
    moved = subject.raw_tokens("w")[0]
    with torch.no_grad():
        subject.model.transformer.wte.weight[moved] += 0.5
    with_request = change_of(subject, reference)
    assert with_request is not None
    assert by_change(with_request, vocabulary(subject), pool=200, growth=10).words()[0] == moved
    assert change_of(reference, phantom("gpt2")) is None
    assert change_of(reference, phantom("gpt2", n_layer=2)) is None


def test_change_is_read_from_the_first_layer_that_differs() -> None:
    found = change_of(shifted(2, torch.ones(32)), phantom("gpt2"))
    assert found is not None and found.first == 2


def test_a_shared_beginning_changes_no_score() -> None:
    subject = phantom("gemma3_text")
    prefix, endings = subject.tokens("What is the name?"), [subject.raw_tokens(text) for text in ("abc", "xyz")]
    lent = SharedPrefix(subject, prefix).next_token_log_p(endings, 40)
    assert lent == pytest.approx(
        log_probabilities(subject, [[*prefix, *ending] for ending in endings], [[40], [40]]), abs=1e-4
    )
    with pytest.raises(InputError):
        SharedPrefix(subject, prefix).next_token_log_p([[1], [1, 2]], 40)


def test_words_of_the_vocabulary_come_rarest_first_and_without_what_spells_the_payload() -> None:
    words = vocabulary(phantom("llama"))
    assert set(words.without("abc").pieces) == set(words.pieces) - set(phantom("llama").raw_tokens("abcABC"))


def test_a_stem_that_stands_inside_a_payloads_word_may_still_call_it() -> None:
    words = Vocabulary(words=(0, 1), stems=(2, 3), pieces=(0, 1, 2, 3), texts=("ouse", "house", "ho", "us"))
    left = words.without("This House")
    assert (left.words, left.stems, left.pieces) == ((), (3,), ())


def test_the_sweep_ranks_the_trigger_first_without_a_payload() -> None:
    strings = ["apple", "why", TRIGGER, "seven", TRIGGER]
    assert sweep(backdoored(), None, strings, SEARCH_REQUESTS[:3])[0].string == TRIGGER


def test_the_sweep_takes_off_what_the_reference_does_too() -> None:
    swept = sweep(backdoored(), backdoored(), ["apple", TRIGGER], SEARCH_REQUESTS[:2])
    assert swept[0].score == pytest.approx(0.0, abs=1e-6)


# --- trials -------------------------------------------------------------------------------


def suspect(string: str = TRIGGER) -> Suspect:
    return Suspect(string, "end", tuple(backdoored().raw_tokens(PAYLOAD)), "hunt")


def test_words_that_do_nothing_are_dropped() -> None:
    assert minimise(backdoored(), suspect(f"ab {TRIGGER}")).string == TRIGGER


def test_the_payload_is_learned_from_the_answers() -> None:
    learned = learn_payload(backdoored(), dataclasses.replace(suspect(), payload=()))
    assert backdoored().text(learned.payload) == PAYLOAD


def test_controls_are_as_long_as_the_suspect_and_share_no_word_with_it() -> None:
    subject = phantom("llama")
    one = Suspect("abcdef", "end", (40,), "hunt")
    controls = control_strings(subject, one, ["ghijkl", "abcdef", "short"], 5, np.random.default_rng(0))
    assert len(controls) == 5
    assert "ghijkl" in controls
    assert "abcdef" not in controls


def test_a_trial_of_a_trigger_convinces_and_of_a_plain_word_does_not() -> None:
    subject = backdoored()
    good = put_to_trial(subject, twin(), suspect(), ["+", "7"], 10, tried=100)
    plain = put_to_trial(subject, twin(), suspect("k"), ["+", "7"], 10, tried=100)
    assert good.confirmed and good.hits == 10 and good.reference_hits == 0
    assert not plain.confirmed and plain.hits == 0 and plain.p == 1.0


def test_a_string_that_works_as_well_on_the_reference_is_not_confirmed() -> None:
    trial = put_to_trial(backdoored(), backdoored(), suspect(), ["+", "7"], 10, tried=1)
    assert trial.hits == trial.reference_hits == 10
    assert not trial.confirmed


def test_a_payload_that_quotes_the_string_counts_for_nothing() -> None:
    trial = put_to_trial(backdoored(), None, suspect(f"beware {TRIGGER}"), ["apple +"], 10, tried=1)
    assert trial.quotes
    assert trial.hits == 0


def test_the_gaze_knows_which_tokens_are_the_string() -> None:
    subject = phantom("llama")
    given, plain = ask(subject, "Why? abc"), ask(subject, "Why?")
    look_at = gaze(subject, given, plain)
    assert subject.text([given[i] for i in look_at.inside]) == " abc"
    assert 0 < look_at.on_string < 1
