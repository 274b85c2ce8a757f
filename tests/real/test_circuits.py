"""Circuits that the literature knows, found again in SmolLM2: induction and indirect objects.

Sources: Olsson et al., In-context Learning and Induction Heads (2022); Wang et al., Interpretability in the Wild (2022).
"""

from __future__ import annotations

import pytest

from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Graph, Settings
from brainscan.circuits.heads import with_heads, with_looks
from brainscan.circuits.targets import logit_difference, one_token
from brainscan.circuits.validate import by_score
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def smollm2() -> LanguageSubject:
    return load_subject("smollm2-135m-instruct")


def circuit(subject: LanguageSubject, prompt: str, answer: str, against: str) -> Graph:
    """A small circuit, with the heads that carried its main edges."""
    towards, other = one_token(subject, answer), one_token(subject, against)
    found = trace(
        subject, subject.tokens(prompt), Neurons(), Settings(nodes=40),
        lambda model, logits, at: logit_difference(model, logits, at, towards, other),
    )  # fmt: skip
    assert int(found.frozen.logits.argmax()) == towards
    graph = build_graph(found, prompt)
    into_outcome = [edge for edge in by_score(graph) if edge.target == "o0"]
    return with_looks(found, with_heads(found, graph, into_outcome[:12]), most=3)


def test_induction_reads_what_followed_the_first_time(smollm2: LanguageSubject) -> None:
    graph = circuit(smollm2, "apple chair river lamp cloud apple chair river lamp", " cloud", " chair")
    after_the_first = graph.tokens.index(" cloud")
    assert after_the_first in [look.key for look in graph.looks]
    assert graph.looks[0].query == len(graph.tokens) - 1


def test_the_indirect_object_is_read_where_it_stands(smollm2: LanguageSubject) -> None:
    graph = circuit(smollm2, "When Mary and John went to the lake, John gave a towel to", " Mary", " John")
    mary = graph.tokens.index(" Mary")
    assert mary in [look.key for look in graph.looks if look.query == len(graph.tokens) - 1]
