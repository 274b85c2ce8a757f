"""Traces of phantoms that several tests look at."""

from __future__ import annotations

from functools import cache

import torch

from brainscan.circuits.attribute import Traced, trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Graph, Settings
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from tests.circuits.wired import PROMPT, wired

TEXT = "Hello you"


def without_biases(family: str) -> LanguageSubject:
    """A phantom whose biases and learned positions are 0, so that nothing constant enters a sum."""
    subject = phantom(family)
    embedding = subject.body.get_submodule(subject.family.embed)
    with torch.no_grad():
        for name, weight in subject.model.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
        for module in subject.body.modules():
            if isinstance(module, torch.nn.Embedding) and module is not embedding:
                module.weight.zero_()
    return subject


@cache
def traced(family: str = "llama", nodes: int = 40, text: str = TEXT) -> Traced:
    """A phantom's trace."""
    subject = phantom(family)
    return trace(subject, subject.tokens(text), Neurons(), Settings(nodes=nodes))


@cache
def graph(family: str = "llama", nodes: int = 40, text: str = TEXT) -> Graph:
    """The same as a record."""
    return build_graph(traced(family, nodes, text), text)


@cache
def wired_trace() -> Traced:
    """The hand-wired model's trace."""
    subject = wired()
    return trace(subject, subject.tokens(PROMPT), Neurons(), Settings(nodes=20, most_outcomes=1))
