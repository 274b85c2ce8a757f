"""Every family of the table, on a tiny random model: the same numbers as transformers' own."""

from __future__ import annotations

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.errors import SiteUnavailable, UnknownFamily
from brainscan.subject.edit import Edit
from brainscan.subject.families import FAMILIES, family_of
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import CONFIGS, D_MLP, D_MODEL, N_HEADS, phantom

TYPES = sorted(CONFIGS)
TEXTS = ("The river bends north.", "Ab", "A longer line of text about nothing.")
EXACT = 2e-4
"""Largest difference allowed, in units of activations of size about 1, from another order of sums."""

_SUBJECTS: dict[str, LanguageSubject] = {}


@pytest.fixture(params=TYPES)
def subject(request: pytest.FixtureRequest) -> LanguageSubject:
    if request.param not in _SUBJECTS:
        _SUBJECTS[request.param] = phantom(request.param)
    return _SUBJECTS[request.param]


def every_site(subject: LanguageSubject) -> list[Site]:
    return [
        Site(point) if point == "final_norm" else Site(point, layer)
        for point in subject.points()
        for layer in (range(subject.n_layers) if point != "final_norm" else (None,))
    ]


def plain(subject: LanguageSubject, text: str) -> object:
    ids = torch.tensor([subject.tokens(text)])
    with torch.no_grad():
        return subject.model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)


def test_the_issue_s_families_all_have_a_row() -> None:
    listed = {kind for family in FAMILIES for kind in family.model_types}
    wanted = {
        "llama",
        "gemma2",
        "gemma3_text",
        "gpt2",
        "gpt_neox",
        "gptj",
        "qwen2",
        "qwen3",
        "mistral",
        "phi3",
        "olmo2",
    }
    assert wanted | {"falcon", "bloom", "opt"} <= listed
    assert wanted | {"falcon", "bloom", "opt"} <= set(TYPES)


def test_sites_agree_with_transformers_hidden_states(subject: LanguageSubject) -> None:
    sites = [Site("resid_pre", layer) for layer in range(subject.n_layers)]
    got = capture(subject, TEXTS, [*sites, Site("final_norm"), Site("resid_post", 0)])
    for row, text in enumerate(TEXTS):
        hidden = plain(subject, text).hidden_states
        for site in sites:
            torch.testing.assert_close(got[site].rows[row], hidden[site.layer][0], atol=EXACT, rtol=EXACT)
        torch.testing.assert_close(got[Site("final_norm")].rows[row], hidden[-1][0], atol=EXACT, rtol=EXACT)
        torch.testing.assert_close(got[Site("resid_post", 0)].rows[row], hidden[1][0], atol=EXACT, rtol=EXACT)


def test_blocks_add_up(subject: LanguageSubject) -> None:
    points = ["resid_pre", "attn_out", "mlp_out", "resid_post"]
    points += ["resid_mid"] if "resid_mid" in subject.points() else []
    got = capture(subject, TEXTS, [Site(p, 2) for p in points])
    x = {p: got[Site(p, 2)].values for p in points}
    torch.testing.assert_close(x["resid_pre"] + x["attn_out"] + x["mlp_out"], x["resid_post"], atol=EXACT, rtol=EXACT)
    if "resid_mid" in x:
        torch.testing.assert_close(x["resid_mid"] + x["mlp_out"], x["resid_post"], atol=EXACT, rtol=EXACT)


def test_no_op_edits_at_every_site_change_nothing(subject: LanguageSubject) -> None:
    batch = subject.batch([subject.tokens(text) for text in TEXTS], side="left")
    before = subject.logits(batch)
    edits = [Edit.scale(site, 1.0) for site in every_site(subject) if site.point != "attn_probs"]
    assert torch.equal(subject.logits(batch, edits=edits), before)


def test_left_padding_changes_nothing(subject: LanguageSubject) -> None:
    batch = subject.batch([subject.tokens(text) for text in TEXTS], side="left")
    together = subject.logits(batch)[:, -1]
    for row, text in enumerate(TEXTS):
        torch.testing.assert_close(together[row], plain(subject, text).logits[0, -1], atol=EXACT, rtol=EXACT)


def test_zeroing_what_is_added_removes_it(subject: LanguageSubject) -> None:
    zero = torch.zeros(subject.d_model)
    edits = [Edit.set("attn_out.1", zero), Edit.set("mlp_out.1", zero)]
    got = capture(subject, TEXTS, ["resid_pre.1", "resid_post.1"], edits=edits)
    torch.testing.assert_close(got[Site("resid_post", 1)].values, got[Site("resid_pre", 1)].values, atol=1e-6, rtol=0)


def test_adding_at_the_stream_moves_it_by_exactly_that(subject: LanguageSubject) -> None:
    vector = torch.arange(subject.d_model) / 10.0
    for point in {"resid_pre", "resid_mid", "resid_post"} & set(subject.points()):
        site = Site(point, 2)
        before = capture(subject, TEXTS, [site])[site].values
        after = capture(subject, TEXTS, [site], edits=[Edit.add(site, vector)])[site].values
        torch.testing.assert_close(after - before, vector.expand_as(after), atol=EXACT, rtol=EXACT)


def test_an_edit_of_resid_mid_reaches_both_the_mlp_and_the_skip_path(subject: LanguageSubject) -> None:
    if "resid_mid" not in subject.points():
        with pytest.raises(SiteUnavailable, match="no stream between attention and MLP"):
            subject.check("resid_mid.2")
        return
    sites = [Site("resid_mid", 2), Site("mlp_out", 2), Site("resid_post", 2)]
    edit = Edit.set("resid_mid.2", torch.ones(subject.d_model))
    got = capture(subject, TEXTS, sites, edits=[edit])
    assert torch.allclose(got[sites[0]].values, torch.ones_like(got[sites[0]].values), atol=1e-5)
    torch.testing.assert_close(got[sites[2]].values, 1 + got[sites[1]].values, atol=EXACT, rtol=EXACT)


def test_heads_and_neurons_write_what_the_last_matrix_makes_of_them(subject: LanguageSubject) -> None:
    head, neuron = Site("head_out", 1), Site("mlp_act", 1)
    got = capture(subject, TEXTS, [head, neuron])
    assert got[head].values.shape[1:] == (N_HEADS, D_MODEL // N_HEADS)
    assert neuron.point == "mlp_act" and got[neuron].values.shape[1] in (D_MLP, 4 * D_MODEL)
    zero_heads = [Edit.scale("head_out.1", 0.0, head=h) for h in range(subject.n_heads)]
    silent = capture(subject, TEXTS, [head], edits=zero_heads)[head].values
    assert float(silent.abs().max()) == 0.0
    one = capture(subject, TEXTS, [head], edits=[Edit.scale("head_out.1", 0.0, head=2)])[head].values
    assert float(one[:, 2].abs().max()) == 0.0
    torch.testing.assert_close(one[:, 1], got[head].values[:, 1], atol=EXACT, rtol=EXACT)


def test_attention_patterns_are_causal_distributions(subject: LanguageSubject) -> None:
    site = Site("attn_probs", 1)
    for text, pattern in zip(TEXTS, capture(subject, TEXTS, [site])[site].rows, strict=True):
        n = len(subject.tokens(text))
        assert pattern.shape == (1, subject.n_heads, n, n)
        torch.testing.assert_close(pattern.sum(-1), torch.ones(1, subject.n_heads, n), atol=1e-4, rtol=0)
        assert float(pattern.triu(1).abs().max()) == 0.0


def test_generation_with_the_cache_is_generation_without(subject: LanguageSubject) -> None:
    prompts = [subject.tokens(text) for text in TEXTS]
    decoding = Decoding(max_new=6, stop_at_end=False)
    for prompt, answer in zip(prompts, generate(subject, prompts, decoding), strict=True):
        ids = list(prompt)
        for _ in range(6):
            with torch.no_grad():
                ids.append(int(subject.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        assert list(answer.ids) == ids[len(prompt) :]


def test_edits_are_live_in_generation_with_the_cache(subject: LanguageSubject) -> None:
    prompts = [subject.tokens(text) for text in TEXTS]
    edit = Edit.add("resid_post.2", 3 * torch.randn(subject.d_model, generator=torch.Generator().manual_seed(0)))
    with_cache = generate(subject, prompts, Decoding(max_new=5, stop_at_end=False), edits=[edit])
    for prompt, answer in zip(prompts, with_cache, strict=True):
        ids = list(prompt)
        for _ in range(5):
            ids.append(int(subject.logits(subject.batch([ids]), edits=[edit])[0, -1].argmax()))
        assert list(answer.ids) == ids[len(prompt) :]


def test_an_ambiguous_stranger_is_refused_with_the_rows_to_add() -> None:
    model = phantom("llama").model
    model.config.model_type = "stranger"
    model.model.more_layers = torch.nn.ModuleList([type(model.model.layers[0])(model.config, i) for i in range(4)])
    with pytest.raises(UnknownFamily, match=r"Add a Family row.*attn_out"):
        family_of(model)


def test_a_plain_stranger_is_read_by_structure() -> None:
    subject = phantom("llama")
    known = capture(subject, TEXTS, ["resid_post.2", "mlp_act.2"])
    subject.model.config.model_type = "stranger"
    stranger = LanguageSubject(subject.model, subject.tokenizer, subject.card)
    assert stranger.family.source == "structure"
    found = capture(stranger, TEXTS, ["resid_post.2", "mlp_act.2"])
    for site in known:
        assert torch.equal(known[site].values, found[site].values)
    with pytest.raises(SiteUnavailable, match=r"cannot offer attn_out\.2"):
        stranger.check("attn_out.2")
