"""The verbs of circuits: trace, open, validate, swap, diff, aggregate, export. torch is imported where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.circuits.aggregate import aggregate
from brainscan.circuits.diff import diff
from brainscan.circuits.exchange import from_exchange, write_exchange
from brainscan.circuits.graph import Graph, Settings, read_graph, read_json, write_graph
from brainscan.circuits.results import Aggregate, Difference, Swap
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import InputError, UsageError
from brainscan.core.files import write_atomic

if TYPE_CHECKING:
    from brainscan.circuits.attribute import Choose, Traced
    from brainscan.circuits.basis import Basis
    from brainscan.circuits.swap import Place
    from brainscan.circuits.validate import Trial
    from brainscan.subject.language import LanguageSubject

NEURONS = "neurons"
HEADED = 20
"""Edges that the heads which carried them are written onto."""

Progress = Callable[[float, str], None]


def silent(fraction: float, words: str) -> None:
    """Progress that nobody hears."""


@dataclass(frozen=True)
class Outcome:
    """What is to be explained: nothing for the most likely tokens."""

    token: str | None = None
    against: str | None = None
    """With it, the logit difference of the two is explained."""


@dataclass(frozen=True)
class CircuitRequest:
    """What to trace, and how."""

    subject: str
    prompt: str
    outcome: Outcome = Outcome()
    settings: Settings = field(default_factory=Settings)
    """``settings.basis`` is "neurons" or the folder of a transcoder dictionary."""
    chat: bool = False
    """The prompt is a user's turn, under the model's chat template."""
    tests: int = 20
    """Nodes and edges to test by edits; 0 tests none."""
    device: str | None = None
    command: str = ""


@dataclass(frozen=True)
class SwapRequest:
    """One concept to replace by another."""

    subject: str
    old: str
    """A prompt with the concept that goes."""
    new: str
    """The same with the concept that comes."""
    old_word: str
    """Where the concept stands in ``old``: its last token counts."""
    new_word: str
    old_answer: str
    new_answer: str
    prompt: str | None = None
    """Where to put it; ``old`` when left out. It must hold ``old_word``."""
    wanted: str | None = None
    """The answer wanted there; ``new_answer`` when left out."""
    basis: str = NEURONS
    nodes: int = 100
    dose: float = 1.0
    seed: int = 0
    device: str | None = None


def trace_circuit(request: CircuitRequest, progress: Progress = silent) -> Graph:
    """Load, trace, prune, group and, unless told not to, test a circuit.

    Raises:
        SubjectError: the model cannot be used. InputError: the prompt or a token cannot. SelfCheckFailed: it cannot be
        frozen exactly.
    """
    subject = open_subject(request.subject, device=request.device, progress=_part(progress, 0.0, 0.2))
    ids = subject.chat(request.prompt) if request.chat else subject.tokens(request.prompt)
    return _traced_graph(subject, ids, request, _part(progress, 0.2, 1.0))


def trace_many(request: CircuitRequest, prompts: Sequence[str], progress: Progress = silent) -> tuple[Graph, ...]:
    """Circuits of many prompts, the model loaded once; ``request.prompt`` is not used."""
    if not prompts:
        raise UsageError("There is no prompt to trace.", "Give one a line.")
    subject = open_subject(request.subject, device=request.device, progress=_part(progress, 0.0, 0.1))
    graphs = []
    for i, prompt in enumerate(prompts):
        ids = subject.chat(prompt) if request.chat else subject.tokens(prompt)
        share = 0.9 / len(prompts)
        graphs.append(_traced_graph(subject, ids, request, _part(progress, 0.1 + i * share, 0.1 + (i + 1) * share)))
    return tuple(graphs)


def validate_circuit(path: Path, subject: str, trial: Trial, device: str | None, progress: Progress = silent) -> Graph:
    """Trace a circuit's prompt again and test its claims.

    Raises:
        UsageError: the model is not the one that the circuit is of.
    """
    from brainscan.circuits.validate import validate

    graph = read_graph(path)
    loaded = open_subject(subject, device=device, progress=_part(progress, 0.0, 0.2))
    if loaded.card.weights_sha256 != graph.weights_sha256:
        raise UsageError(
            f"{loaded.card.name} is not the model that {path} is of.", "Name the model that it was traced in."
        )
    choose = _same_outcome(graph)
    traced = _trace(loaded, list(graph.token_ids), graph.settings, choose, _part(progress, 0.2, 0.6))
    return validate(traced, graph, trial, _part(progress, 0.6, 1.0))


def swap_concept(request: SwapRequest, progress: Progress = silent) -> Swap:
    """Replace one concept by another inside the model and read the answer."""
    from brainscan.circuits.swap import make_transplant, read_concept, swap
    from brainscan.circuits.targets import one_token

    subject = open_subject(request.subject, device=request.device, progress=_part(progress, 0.0, 0.5))
    answers = one_token(subject, request.old_answer), one_token(subject, request.new_answer)
    old = place_in(subject, request.old, request.old_word, answers[0])
    new = place_in(subject, request.new, request.new_word, answers[1])
    progress(0.5, "finding the nodes that differ")
    basis = open_basis(request.basis)
    concepts = [read_concept(subject, place, basis, answers) for place in (old, new)]
    transplant = make_transplant(*concepts, nodes=request.nodes, seed=request.seed)
    progress(0.9, "putting them in")
    target = place_in(subject, request.prompt or request.old, request.old_word, answers[0])
    wanted = one_token(subject, request.wanted) if request.wanted else answers[1]
    return swap(subject, target, transplant, wanted, (request.old, request.new), request.dose)


def open_circuit(path: Path) -> Graph:
    """A circuit of ours or of circuit-tracer and Neuronpedia.

    Raises:
        RecordError: it is neither, or not sound.
    """
    value = read_json(path)
    return from_exchange(value) if "links" in value and "metadata" in value else read_graph(path)


def diff_circuits(before: Path, after: Path) -> Difference:
    """What changed between two circuits."""
    return diff(open_circuit(before), open_circuit(after))


def aggregate_circuits(graphs: Sequence[Graph], least: float) -> Aggregate:
    """What is stable over many circuits."""
    return aggregate(graphs, least=least)


def export_circuit(path: Path, folder: Path, slug: str, scan: str | None) -> Graph:
    """Write a circuit as the graph JSON of circuit-tracer and Neuronpedia, with feature files beside it."""
    graph = open_circuit(path)
    write_exchange(folder, graph, slug, scan)
    return graph


def deliver_circuit(
    graph: Graph, *, record: Path | None = None, html: Path | None = None, svg: Path | None = None
) -> None:
    """Write a circuit in the forms asked for; all are made before the first is written."""
    from brainscan.report.circuit import circuit_html, circuit_svg

    paths = [path.absolute() for path in (record, html, svg) if path is not None]
    if len(set(paths)) < len(paths):
        raise UsageError("Two forms would be written to the same file.", "Name a file of its own for each.")
    page = circuit_html(graph) if html else ""
    drawing = circuit_svg(graph) if svg else ""
    if record:
        write_graph(record, graph)
    if html:
        write_atomic(html, page)
    if svg:
        write_atomic(svg, drawing)


def open_basis(name: str) -> Basis:
    """Neurons, or the transcoders in a folder.

    Raises:
        RecordError: the folder holds no dictionary. UsageError: it is no transcoder.
    """
    from brainscan.circuits.basis import Features, Neurons

    if name == NEURONS:
        return Neurons()
    from brainscan.dictionary.formats.format import read_dictionary

    return Features(read_dictionary(Path(name)))


def place_in(subject: LanguageSubject, prompt: str, word: str, answer: int) -> Place:
    """Where a word's last token stands in a prompt, the last time that it occurs.

    Raises:
        InputError: the prompt does not hold the word.
    """
    from brainscan.circuits.swap import Place

    end = prompt.rfind(word)
    if end < 0 or not word:
        raise InputError(f"The prompt does not hold {word!r}.", "Name the word as the prompt spells it.")
    ids = subject.tokens(prompt)
    # The first token after which the text holds the whole word is its last one.
    reach = end + len(word)
    for position in range(len(ids)):
        if len(subject.text(ids[: position + 1])) >= reach:
            return Place(tuple(ids), position, answer)
    raise InputError(f"The tokens of {word!r} cannot be told apart in the prompt.", "Choose another spelling.")


def _traced_graph(subject: LanguageSubject, ids: list[int], request: CircuitRequest, progress: Progress) -> Graph:
    from brainscan.circuits.build import build_graph
    from brainscan.circuits.heads import with_heads, with_looks
    from brainscan.circuits.supernodes import with_supernodes
    from brainscan.circuits.validate import Trial, by_score, validate

    traced = _trace(subject, ids, request.settings, _chooser(subject, request.outcome), _part(progress, 0.0, 0.6))
    progress(0.62, "pruning and grouping")
    graph = build_graph(traced, subject.text(ids, special=True), request.command)
    graph = with_supernodes(traced, graph)
    graph = with_looks(traced, with_heads(traced, graph, by_score(graph)[:HEADED]))
    if request.tests:
        trial = Trial(nodes=request.tests, edges=request.tests, seed=request.settings.seed)
        graph = validate(traced, graph, trial, _part(progress, 0.7, 1.0))
    return graph


def _trace(
    subject: LanguageSubject, ids: list[int], settings: Settings, choose: Choose | None, progress: Progress
) -> Traced:
    from brainscan.circuits.attribute import trace

    return trace(subject, ids, open_basis(settings.basis), settings, choose, progress)


def _chooser(subject: LanguageSubject, outcome: Outcome) -> Choose | None:
    from brainscan.circuits.targets import chosen_tokens, logit_difference, one_token

    if outcome.token is None:
        if outcome.against is not None:
            raise UsageError("An outcome to set against is given, and no outcome.", "Add --outcome.")
        return None
    token = one_token(subject, outcome.token)
    if outcome.against is None:
        return lambda subject, logits, position: chosen_tokens(subject, logits, position, [token])
    against = one_token(subject, outcome.against)
    return lambda subject, logits, position: logit_difference(subject, logits, position, token, against)


def _same_outcome(graph: Graph) -> Choose | None:
    """The outcome of a graph that was read from disk."""
    from brainscan.circuits.targets import chosen_tokens

    outcomes = graph.outcomes
    if any(node.index == int(node.id[1:]) and len(outcomes) == 1 for node in outcomes):
        raise UsageError(
            "The circuit explains a direction or a logit difference, which its record does not hold.",
            "Trace it again: circuit trace tests it unless told not to.",
        )
    tokens = [node.index for node in outcomes]
    return lambda subject, logits, position: chosen_tokens(subject, logits, position, tokens)


def _part(progress: Progress, start: float, end: float) -> Callable[[float, str], Any]:
    return lambda fraction, words: progress(start + (end - start) * fraction, words)
