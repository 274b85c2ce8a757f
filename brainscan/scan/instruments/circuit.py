"""Circuits of what training changed: where the two models part on a request, which neurons carry the difference.

Numbered acts: 1) next tokens of requests in both models, and the requests where they part most; 2) there, the circuit of
the subject's token against the reference's, in both models; 3) what the two circuits share, and the subject's story.
It explains what other instruments have found and decides nothing, so the full plan alone runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.diff import diff
from brainscan.circuits.graph import Graph, Settings
from brainscan.circuits.supernodes import with_supernodes
from brainscan.circuits.targets import logit_difference
from brainscan.circuits.validate import Trial, validate
from brainscan.core.evidence import Evidence, Measurement, Status
from brainscan.core.statistics import cluster_interval
from brainscan.scan.ask import ask
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.pair import reference_of
from brainscan.scan.texts.neutral import NEUTRAL_REQUESTS
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import next_token_logits

OVERLAP, COMPLETE, HELD = "circuit.reference.overlap", "circuit.completeness", "circuit.edits.held"
_TOKENS_A_REQUEST = 45
_PASSES_A_NODE = 1.2
"""Backward passes of a graph, in forward passes of its prompt."""


@dataclass(frozen=True)
class Parting:
    """A request on which the two models say different next tokens."""

    ids: tuple[int, ...]
    ours: int
    theirs: int


class Circuit:
    """Looks at how the subject comes to another next token than its reference."""

    name = "circuit"
    title = "Circuits of the next tokens that training changed"
    needs_reference = True
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under the full plan."""
        if plan != "full":
            return None
        return {"requests": 60, "traced": 4, "nodes": 1000, "tests": 10}

    def texts(self) -> tuple[str, ...]:
        """Neutral requests."""
        return NEUTRAL_REQUESTS

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Requests in both models, then two graphs for each that is traced."""
        passes = 2 * int(settings["traced"]) * int(settings["nodes"]) * _PASSES_A_NODE
        return Workload(tokens_read=int(_TOKENS_A_REQUEST * (2 * int(settings["requests"]) + passes)))

    def run(self, examination: Examination) -> Report:
        """Look.

        Raises:
            PlanError: there is no reference. SelfCheckFailed: a model cannot be frozen exactly.
        """
        settings = examination.step.settings
        reference = reference_of(examination)
        examination.progress(0.0, "finding where the models part")
        partings = _partings(examination.subject, reference, int(settings["requests"]))[: int(settings["traced"])]
        if not partings:
            return Report(
                notes=("Both models give the same next token to every request: there is no change to trace.",)
            )
        pairs = []
        for i, parting in enumerate(partings):
            examination.progress(0.1 + 0.9 * i / len(partings), f"circuit {i + 1} of {len(partings)}")
            ours = _circuit(examination.subject, parting, settings, examination.seed)
            pairs.append((ours, _circuit(reference, parting, {**settings, "tests": 0}, examination.seed)))
        return Report(measurements=_measured(pairs), evidence=tuple(_evidence(*pair) for pair in pairs))


def _partings(subject: LanguageSubject, reference: LanguageSubject, n: int) -> list[Parting]:
    """Requests with different next tokens, the largest divergence first."""
    rows = [ask(subject, request) for request in NEUTRAL_REQUESTS[:n]]
    ours, theirs = (torch.log_softmax(next_token_logits(model, rows), -1) for model in (subject, reference))
    divergence = (ours.exp() * (ours - theirs)).sum(-1)
    order = divergence.argsort(descending=True).tolist()
    found = [Parting(tuple(rows[i]), int(ours[i].argmax()), int(theirs[i].argmax())) for i in order]
    return [parting for parting in found if parting.ours != parting.theirs]


def _circuit(
    subject: LanguageSubject, parting: Parting, sizes: dict[str, int | float | str | bool], seed: int
) -> Graph:
    settings = Settings(nodes=int(sizes["nodes"]), seed=seed)
    traced = trace(
        subject, parting.ids, Neurons(), settings,
        lambda model, logits, at: logit_difference(model, logits, at, parting.ours, parting.theirs),
    )  # fmt: skip
    graph = with_supernodes(traced, build_graph(traced, subject.text(parting.ids, special=True)))
    tests = int(sizes["tests"])
    return validate(traced, graph, Trial(nodes=tests, edges=tests, seed=seed)) if tests else graph


def _measured(pairs: list[tuple[Graph, Graph]]) -> tuple[Measurement, ...]:
    overlap = [diff(theirs, ours).jaccard for ours, theirs in pairs]
    complete = [ours.scores.completeness for ours, _ in pairs]
    checked = [ours.validation for ours, _ in pairs if ours.validation is not None]
    tested = sum(each.nodes + each.edges for each in checked)
    held = sum(each.nodes_held + each.edges_held for each in checked)
    return (
        Measurement(
            name=OVERLAP, value=float(np.mean(overlap)), unit="share", n=len(pairs), higher_is="neither",
            interval=cluster_interval(overlap, within=(0.0, 1.0)),
            meaning="Nodes that the circuits of both models share: 1, the same neurons; 0, others",
        ),
        Measurement(
            name=COMPLETE, value=float(np.mean(complete)), unit="share", n=len(pairs), higher_is="better",
            interval=cluster_interval(complete, within=(0.0, 1.0)),
            meaning="Share of the circuit's input that is explained; low means that the story is a part only",
        ),
        Measurement(
            name=HELD, value=held / max(tested, 1), unit="rate", n=tested, higher_is="better",
            meaning="Claims of the circuits that held when the model was edited",
        ),
    )  # fmt: skip


def _evidence(ours: Graph, theirs: Graph) -> Evidence:
    shared = diff(theirs, ours)
    new = ", ".join(change.id for change in shared.nodes if change.before is None and change.id[0] in "nf")[:200]
    told = f"{ours.story.line} ({ours.story.explained:.0%} of influence). " if ours.story else ""
    held = ours.validation is not None and ours.validation.nodes_held > 0
    return Evidence(
        kind="circuit",
        summary=f"Why {ours.outcome}: {told}Not in the reference's circuit: {new or 'nothing'}.",
        measurement=OVERLAP,
        strength=1 - shared.jaccard,
        status=Status.INTERVENED if held else Status.ATTRIBUTED,
        tokens=ours.tokens,
    )


INSTRUMENT = Circuit()
