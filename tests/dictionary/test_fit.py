"""A dictionary and a subject that do not belong together are told apart before texts are read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from brainscan.core.address import Site
from brainscan.core.errors import SiteUnavailable, UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.fit import check_fit
from brainscan.subject.phantom import D_MODEL, phantom


def dictionary(d_in: int = D_MODEL, d_out: int = D_MODEL, site: str = "resid_post.1") -> Dictionary:
    return Dictionary(
        "transcoder", "relu", torch.zeros(d_in, 4), torch.zeros(4, d_out), torch.zeros(4), torch.zeros(d_out),
        reads=(site,), writes=("mlp_out.1",),
    )  # fmt: skip


def test_a_fitting_one_says_what_it_reads() -> None:
    assert check_fit(phantom(), dictionary()) == (Site("resid_post", 1),)
    assert check_fit(phantom(), dictionary(site="head_out.1")) == (Site("head_out", 1),)
    assert check_fit(phantom(), replace(dictionary(), writes=()))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match=f"reads 64 numbers a token and resid_post.1 of phantom.* has {D_MODEL}"):
        check_fit(phantom(), dictionary(d_in=64))
    with pytest.raises(UsageError, match=r"writes 64 numbers a token and mlp_out\.1"):
        check_fit(phantom(), dictionary(d_out=64))
    with pytest.raises(SiteUnavailable, match="no layer 40"):
        check_fit(phantom(), dictionary(site="resid_post.40"))
    with pytest.raises(UsageError, match="does not say which site"):
        check_fit(phantom(), replace(dictionary(), reads=()))
