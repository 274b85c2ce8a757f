"""Edits do what arithmetic says, where they were told to, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.address import Site
from brainscan.core.errors import SiteUnavailable, UsageError
from brainscan.subject.edit import Edit, Layout, Where, apply

D = 6
SITE = "resid_post.0"


def layout(lengths: list[int], width: int, left: bool = False) -> Layout:
    positions = torch.full((len(lengths), width), -1)
    for row, n in enumerate(lengths):
        where = slice(width - n, width) if left else slice(0, n)
        positions[row, where] = torch.arange(n)
    return Layout(positions, torch.tensor(lengths))


def activations(rows: int, width: int) -> torch.Tensor:
    return torch.randn(rows, width, D, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize(
    ("at", "touched"),
    [
        (None, {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}),
        (0, {(0, 0), (1, 0)}),
        (-1, {(0, 2), (1, 1)}),
        ([0, -1], {(0, 0), (0, 2), (1, 0), (1, 1)}),
        (2, {(0, 2)}),
        ("prompt", {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}),
        ("generated", set()),
        (torch.tensor([[True, False, False], [False, True, True]]), {(0, 0), (1, 1)}),
    ],
)
def test_places_are_token_positions_whatever_the_padding(at: Where, touched: set[tuple[int, int]], left: bool) -> None:
    where = layout([3, 2], 4, left)
    mask = where.mask(at)
    found = {(row, int(where.positions[row, column])) for row, column in mask.nonzero().tolist()}
    assert found == touched


def test_generated_tokens_lie_behind_the_prompt() -> None:
    where = Layout(torch.tensor([[3], [1]]), torch.tensor([3, 2]))
    assert where.mask("generated").tolist() == [[True], [False]]
    assert where.mask("prompt").tolist() == [[False], [True]]


def test_arithmetic() -> None:
    x, where = activations(2, 3), layout([3, 3], 3)
    v = torch.arange(D).float()
    assert torch.equal(apply(Edit.add(SITE, v, dose=2.0), x, where), x + 2 * v)
    assert torch.equal(apply(Edit.set(SITE, v), x, where), v.expand_as(x))
    assert torch.equal(apply(Edit.scale(SITE, 0.5), x, where), x * 0.5)
    source = activations(1, 2) + 9
    assert torch.equal(apply(Edit.patch(SITE, source), x, where)[:, :2], source.expand(2, -1, -1))
    assert torch.equal(apply(Edit.patch(SITE, source), x, where)[:, 2], x[:, 2])


def test_one_vector_a_row_goes_to_its_row() -> None:
    x, where = activations(2, 3), layout([3, 3], 3)
    rows = torch.stack([torch.ones(D), 2 * torch.ones(D)])
    assert torch.equal(apply(Edit.set(SITE, rows), x, where)[:, 0], rows)


@given(st.floats(-1e3, 1e3).filter(lambda s: abs(s) > 1e-2), st.integers(0, 1000))
def test_projecting_out_leaves_nothing_along_the_direction_whatever_its_length(scale: float, seed: int) -> None:
    direction = scale * torch.randn(D, generator=torch.Generator().manual_seed(seed))
    x, where = activations(2, 3), layout([3, 3], 3)
    once = apply(Edit.project_out(SITE, direction), x, where)
    assert float((once @ (direction / direction.norm())).abs().max()) < 1e-5
    torch.testing.assert_close(apply(Edit.project_out(SITE, direction), once, where), once, atol=1e-5, rtol=0)


def test_the_original_is_never_written_to() -> None:
    x, where = activations(2, 3), layout([3, 3], 3)
    before = x.clone()
    for edit in (Edit.add(SITE, torch.ones(D)), Edit.scale(SITE, 0.0), Edit.set(SITE, torch.zeros(D))):
        apply(edit, x, where)
    heads = x.reshape(2, 3, 2, 3)
    apply(Edit.scale("head_out.0", 0.0, head=1), heads, where)
    assert torch.equal(x, before)


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="zero direction"):
        Edit.project_out(SITE, torch.zeros(D))
    with pytest.raises(UsageError, match="has no heads"):
        Edit.scale(SITE, 1.0, head=0)
    with pytest.raises(SiteUnavailable, match="captured but not edited"):
        Edit.scale("attn_probs.0", 1.0)
    with pytest.raises(UsageError, match=r"shape \[5\] does not fit resid_post\.0"):
        apply(Edit.add(SITE, torch.ones(5)), activations(1, 2), layout([2], 2))
    assert Edit.scale("blocks.0.hook_resid_post", 1.0).site == Site("resid_post", 0)
