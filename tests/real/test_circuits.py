"""Circuits that the literature knows, found again in SmolLM2: induction heads and name movers.

Sources: Olsson et al., In-context Learning and Induction Heads (2022); Wang et al., Interpretability in the Wild (2022).
"""

from __future__ import annotations

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import HeadShare, Settings
from brainscan.circuits.heads import with_heads
from brainscan.circuits.targets import logit_difference, one_token
from brainscan.core.address import Site
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def smollm2() -> LanguageSubject:
    return load_subject("smollm2-135m-instruct")


def carriers(subject: LanguageSubject, prompt: str, answer: str, against: str) -> list[HeadShare]:
    """Heads that carry the answer from where it first stands straight to the last token, of those that carry most."""
    towards, other = one_token(subject, answer), one_token(subject, against)
    ids = subject.tokens(prompt)
    found = trace(
        subject, ids, Neurons(), Settings(nodes=60),
        lambda model, logits, at: logit_difference(model, logits, at, towards, other),
    )  # fmt: skip
    assert int(found.frozen.logits.argmax()) == towards
    graph, first = build_graph(found, prompt), list(subject.pieces(ids)).index(answer)
    edges = [edge for edge in graph.edges if (edge.source, edge.target) == (f"t{first}", "o0")]
    heads = with_heads(found, graph, edges, most=8)
    (edge,) = (edge for edge in heads.edges if (edge.source, edge.target) == (f"t{first}", "o0"))
    return [head for head in edge.heads if (head.query, head.key) == (len(ids) - 1, first) and head.weight > 0]


def induction_scores(subject: LanguageSubject, length: int = 24) -> torch.Tensor:
    """[layer, head]: how far each head looks, in random tokens said twice, at what followed the first time."""
    drawn = torch.randint(2000, 20000, (length,), generator=torch.Generator().manual_seed(0)).tolist()
    sites = [subject.check(Site("attn_probs", layer)) for layer in range(subject.n_layers)]
    found = capture(subject, [drawn + drawn], sites)
    looks = torch.stack([found[site].rows[0].reshape(subject.card.n_heads, 2 * length, 2 * length) for site in sites])
    again = torch.arange(length, 2 * length - 1)
    return looks[:, :, again, again - length + 1].mean(-1)


def test_a_word_said_again_is_carried_by_induction_heads(smollm2: LanguageSubject) -> None:
    prompt = "The code words are: Zurich, Mango, Violin, Tiger, Copper. Again: Zurich, Mango, Violin, Tiger,"
    found = carriers(smollm2, prompt, " Copper", " Blue")
    scores = induction_scores(smollm2)
    assert found
    carried = max(float(scores[head.layer, head.head]) for head in found)
    assert carried > 0.2
    assert carried > float(scores.flatten().quantile(0.95))


def test_the_indirect_object_is_carried_by_heads_that_look_at_it(smollm2: LanguageSubject) -> None:
    prompt = "Then Anna and Tom had a long argument. Afterwards Tom said to"
    assert carriers(smollm2, prompt, " Anna", " Tom")
