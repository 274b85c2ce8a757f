"""The survey against the model itself, and logit effects against the model's own arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.activations.sources import Texts
from brainscan.core.errors import InputError, UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.features.search import by_contrast, by_text
from brainscan.features.survey import SurveyConfig, logit_effects, neighbours, survey
from brainscan.subject.phantom import phantom

SUBJECT = phantom("llama")
SOURCE = Texts(tuple(f"Row {i} about the sea, the ship and {i % 7} whales.\n" for i in range(60)))
CONFIG = SurveyConfig(tokens=1500, context=32, listed=5)


def dictionary(activation: str = "topk", site: str = "resid_post.2", d: int = 32, features: int = 40) -> Dictionary:
    g = torch.Generator().manual_seed(0)
    return Dictionary(
        kind=activation,
        activation=activation,  # type: ignore[arg-type]
        W_enc=torch.randn(d, features, generator=g),
        W_dec=torch.randn(features, d, generator=g),
        b_enc=torch.randn(features, generator=g) - 3,
        b_dec=torch.randn(d, generator=g),
        k=3 if activation == "topk" else None,
        reads=(site,),
        writes=(site,),
    )


@pytest.mark.parametrize("activation", ["topk", "relu"])
def test_every_firing_is_written_down_and_nothing_else(activation: str) -> None:
    made = dictionary(activation)
    index = survey(SUBJECT, made, SOURCE, CONFIG)
    rows = [row.tolist() for row in np.asarray(index.tokens)]
    codes = made.encode(capture(SUBJECT, rows, ["resid_post.2"])[SUBJECT.check("resid_post.2")].values).numpy()
    codes[~np.asarray(index.counts).reshape(-1)] = 0
    found = np.zeros_like(codes)
    for feature in range(made.n_features):
        where, values = index.firings(feature)
        assert (np.diff(where) > 0).all() and (values > 0).all()
        found[where, feature] = values
    np.testing.assert_allclose(found, codes, atol=1e-4)
    assert index.about.counted == int(np.asarray(index.counts).sum()) and not np.asarray(index.counts)[:, 0].any()


def test_rows_are_the_texts_in_their_order() -> None:
    index = survey(SUBJECT, dictionary(), SOURCE, CONFIG)
    text = "".join(index.text(np.asarray(index.tokens).reshape(-1)))
    assert text.startswith("Row 0 about the sea, the ship and 0 whales.\n</s>Row 1 about")
    assert index.tokens.size == 1500 // 32 * 32


def test_logit_effects_are_the_models_own() -> None:
    made = dictionary()
    found = logit_effects(SUBJECT, made, 5)
    for feature in (0, 7, 39):
        row = made.W_dec[feature] / made.W_dec[feature].square().mean().sqrt()
        with torch.no_grad():
            logits = SUBJECT.unembedding @ SUBJECT.final_norm(row[None, None])[0, 0]
        logits = logits - logits.mean()
        order = logits.argsort(descending=True)
        assert found.raised[feature].tolist() == order[:5].tolist()
        assert found.lowered[feature].tolist() == order.flip(0)[:5].tolist()
        np.testing.assert_allclose(found.raised_by[feature], logits[order[:5]], atol=1e-4)


def test_what_is_not_added_to_the_stream_has_no_logit_effects() -> None:
    made = dictionary(site="mlp_act.2", d=64)
    assert logit_effects(SUBJECT, made, 5).raised.shape == (40, 0)
    assert survey(SUBJECT, made, SOURCE, CONFIG).about.reads == ("mlp_act.2",)


def test_neighbours_are_the_most_alike_and_never_oneself() -> None:
    made = dictionary()
    found = neighbours(made, 4)
    unit = torch.nn.functional.normalize(made.W_dec, dim=1)
    cosines = unit @ unit.T
    cosines.fill_diagonal_(-2)
    np.testing.assert_array_equal(found.features, cosines.topk(4).indices.numpy())
    assert not any(f in found.features[f] for f in range(40))


def test_a_text_finds_what_it_makes_fire_and_a_contrast_has_a_sign() -> None:
    made = dictionary()
    index = survey(SUBJECT, made, SOURCE, CONFIG)
    text, other = "Row 3 about the sea", "77777 7 777"
    hits = by_text(index, {}, SUBJECT, made, text, 5)
    codes = made.encode(capture(SUBJECT, [text], ["resid_post.2"])[SUBJECT.check("resid_post.2")].values[1:])
    assert hits and all(float(codes[:, hit.feature].max()) > 0 for hit in hits)
    there, back = by_contrast(index, {}, SUBJECT, made, (text, other), 40), by_contrast(
        index, {}, SUBJECT, made, (other, text), 40
    )  # fmt: skip
    assert {h.feature: round(h.score, 4) for h in there} == {h.feature: round(-h.score, 4) for h in back}
    assert by_contrast(index, {}, SUBJECT, made, (text, text)) == ()


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(UsageError, match="reads 64 numbers a token"):
        survey(SUBJECT, dictionary(d=64), SOURCE, CONFIG)
    nowhere = Dictionary(**{**vars(dictionary()), "reads": (), "writes": ()})
    with pytest.raises(UsageError, match="which site"):
        survey(SUBJECT, nowhere, SOURCE, CONFIG)
    with pytest.raises(InputError, match="less than one context"):
        survey(SUBJECT, dictionary(), Texts(("short",)), CONFIG)
    index = survey(SUBJECT, dictionary(), SOURCE, CONFIG)
    with pytest.raises(InputError, match="single token"):
        by_text(index, {}, SUBJECT, dictionary(), "x")
    with pytest.raises(UsageError, match="reads 64 numbers a token"):
        by_text(index, {}, SUBJECT, dictionary(d=64), "a longer text")
