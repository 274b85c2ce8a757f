"""Addresses: one canonical spelling, the usual foreign ones, and a clear refusal of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.address import POINTS, WITHOUT_LAYER, Site
from brainscan.core.errors import UnknownSite

LAYERED = sorted(set(POINTS) - WITHOUT_LAYER)


@given(st.sampled_from(LAYERED), st.integers(0, 500))
def test_the_canonical_spelling_survives_a_round_trip(point: str, layer: int) -> None:
    assert Site.parse(str(Site(point, layer))) == Site(point, layer)


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("blocks.3.hook_resid_pre", "resid_pre.3"),
        ("blocks.3.hook_resid_mid", "resid_mid.3"),
        ("blocks.3.hook_resid_post", "resid_post.3"),
        ("blocks.3.hook_out", "resid_post.3"),
        ("blocks.3.hook_in", "resid_pre.3"),
        ("blocks.3.hook_attn_out", "attn_out.3"),
        ("blocks.3.attn.hook_z", "head_out.3"),
        ("blocks.3.attn.hook_pattern", "attn_probs.3"),
        ("blocks.3.mlp.hook_post", "mlp_act.3"),
        ("blocks.3.hook_mlp_out", "mlp_out.3"),
        ("blocks.3.ln2.hook_normalized", "mlp_in.3"),
        ("ln_final.hook_normalized", "final_norm"),
        ("model.layers.3", "resid_post.3"),
        ("model.language_model.layers.3", "resid_post.3"),
        ("model.decoder.layers.3", "resid_post.3"),
        ("transformer.h.3", "resid_post.3"),
        ("gpt_neox.layers.3", "resid_post.3"),
        ("layers.3", "resid_post.3"),
    ],
)
def test_foreign_spellings_are_understood(foreign: str, ours: str) -> None:
    assert str(Site.parse(foreign)) == ours


@pytest.mark.parametrize("text", ["", "resid_post", "final_norm.3", "resid.3", "resid_post.-1", "resid_post.3.4", "3"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnknownSite, match=r"is not an address.*for example resid_post\.12"):
        Site.parse(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        site = Site.parse(text)
    except UnknownSite:
        return
    assert site.point in POINTS
