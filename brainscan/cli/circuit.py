"""``brainscan circuit``: trace how a model came to an answer, test each step, swap a concept, compare and export."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.circuits.graph import Graph, Settings, write_graph
from brainscan.circuits.results import Swap
from brainscan.cli.errors import plain_errors
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import circuit as clinic
from brainscan.clinic.prompts import read_prompts, read_stdin
from brainscan.core.errors import UsageError

verbs = typer.Typer(
    name="circuit", help="Circuits: trace an answer, test each step by an edit, swap a concept.", no_args_is_help=True
)

Subject = Annotated[str, typer.Argument(help="A short name, a folder, a .gguf file, a hub id, or BASE+ADAPTER_FOLDER.")]
File = Annotated[
    Path, typer.Argument(help="A file that circuit trace wrote, or a graph of circuit-tracer or Neuronpedia.")
]
Basis = Annotated[str, typer.Option(help="What nodes are: neurons, or the folder of transcoders.")]
Nodes = Annotated[int, typer.Option(help="Nodes whose inputs are computed, picked by influence.", min=1, max=100_000)]
Out = Annotated[Path | None, typer.Option(help="Write the circuit to this file (JSON).")]
Html = Annotated[Path | None, typer.Option(help="Write the page to this file.")]
Svg = Annotated[Path | None, typer.Option(help="Write the drawing to this file (SVG).")]
Token = Annotated[str | None, typer.Option("--outcome", help="Explain this next token; default: the most likely ones.")]
Against = Annotated[str | None, typer.Option(help="Explain the logit of --outcome minus that of this token.")]
Chat = Annotated[bool, typer.Option("--chat", help="The prompt is a user's turn under the chat template.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same machine: same circuit.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps. Default: the best there is.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@plain_errors
def trace(
    subject: Subject,
    prompt: Annotated[str, typer.Argument(help="The text whose continuation is explained. - reads it from stdin.")],
    outcome: Token = None,
    against: Against = None,
    basis: Basis = clinic.NEURONS,
    nodes: Nodes = 2000,
    node_threshold: Annotated[
        float, typer.Option(help="Keep nodes up to this share of influence.", min=0, max=1)
    ] = 0.8,
    edge_threshold: Annotated[
        float, typer.Option(help="Keep edges up to this share of influence.", min=0, max=1)
    ] = 0.98,
    tests: Annotated[int, typer.Option(help="Nodes, and edges, to test by edits; 0 tests none.", min=0, max=1000)] = 20,
    chat: Chat = False,
    out: Out = None,
    html: Html = None,
    svg: Svg = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Trace how a prompt led to its next token, and test the main nodes and edges by editing the model.

    Example: brainscan circuit trace smollm2-135m-instruct "City: Lyon. Language: French" --out lyon.json --html lyon.html

    Example: brainscan circuit trace ./my-model "The capital of the state containing Dallas is" --outcome " Austin"
    """
    settings = Settings(
        basis=basis, nodes=nodes, node_threshold=node_threshold, edge_threshold=edge_threshold, seed=seed
    )
    text = read_stdin() if prompt == "-" else prompt
    command = shlex.join(["brainscan", *sys.argv[1:]])
    wanted = clinic.Outcome(outcome, against)
    request = clinic.CircuitRequest(subject, text, wanted, settings, chat, tests, device, command)
    with progress_bar("trace") as progress:
        graph = clinic.trace_circuit(request, progress)
    clinic.deliver_circuit(graph, record=out, html=html, svg=svg)
    _print(graph, as_json, (out, html, svg))


@verbs.command()
@plain_errors
def show(file: File, html: Html = None, svg: Svg = None, as_json: AsJson = False) -> None:
    """Show a circuit: on the terminal, or as a page. Needs no model.

    Example: brainscan circuit show lyon.json --html lyon.html
    """
    graph = clinic.open_circuit(file)
    clinic.deliver_circuit(graph, html=html, svg=svg)
    _print(graph, as_json, (html, svg))


@verbs.command()
@plain_errors
def validate(
    file: Annotated[
        Path, typer.Argument(help="A file that circuit trace wrote; a foreign graph has no model to test in.")
    ],
    subject: Subject,
    nodes: Annotated[int, typer.Option(help="Nodes to test.", min=0, max=5000)] = 50,
    edges: Annotated[int, typer.Option(help="Edges to test.", min=0, max=5000)] = 50,
    factor: Annotated[float, typer.Option(help="Multiply each activation by this; 0 ablates.")] = 0.0,
    hold: Annotated[str, typer.Option(help="Held meanwhile: patterns, scales (both), or nothing.")] = "patterns",
    predict: Annotated[str, typer.Option(help="Predict by the graph, or by the gradient (for small edits).")] = "graph",
    out: Out = None,
    html: Html = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Test the claims of a circuit by editing the model, and write what held onto it.

    Example: brainscan circuit validate lyon.json smollm2-135m-instruct --nodes 50 --out tested.json
    """
    from brainscan.circuits.validate import HOLDS, PREDICTORS, Trial

    if hold not in HOLDS or predict not in PREDICTORS:
        raise UsageError(
            f"{hold!r} and {predict!r} are not both known.",
            f"--hold is {', '.join(HOLDS)}; --predict is {', '.join(PREDICTORS)}.",
        )
    trial = Trial(nodes=nodes, edges=edges, factor=factor, hold=HOLDS[hold], predict=PREDICTORS[predict], seed=seed)
    with progress_bar("validate") as progress:
        graph = clinic.validate_circuit(file, subject, trial, device, progress)
    clinic.deliver_circuit(graph, record=out, html=html)
    _print(graph, as_json, (out, html))


@verbs.command()
@plain_errors
def swap(
    subject: Subject,
    old: Annotated[str, typer.Argument(help="A prompt with the concept that goes.")],
    new: Annotated[str, typer.Argument(help="The same prompt with the concept that comes.")],
    old_word: Annotated[str, typer.Option(help="The word in the first prompt at whose last token nodes are swapped.")],
    new_word: Annotated[str, typer.Option(help="The same in the second.")],
    old_answer: Annotated[str, typer.Option(help="The first prompt's next token.")],
    new_answer: Annotated[str, typer.Option(help="The second prompt's next token.")],
    prompt: Annotated[str | None, typer.Option(help="Put it here instead; must hold the old word.")] = None,
    wanted: Annotated[str | None, typer.Option(help="The answer wanted there. Default: --new-answer.")] = None,
    basis: Basis = clinic.NEURONS,
    nodes: Annotated[int, typer.Option(help="Nodes to swap, at most.", min=1, max=10_000)] = 100,
    dose: Annotated[float, typer.Option(help="How many times the difference is added.")] = 1.0,
    seed: Seed = 0,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Replace one concept by another inside the model, with nothing held, and read the new answer.

    Random nodes of the same layers and the same norm are the control.

    Example: brainscan circuit swap smollm2-135m-instruct "City: Lyon. Country:" "City: Munich. Country:"
    --old-word Lyon --new-word Munich --old-answer " France" --new-answer " Germany"
    """
    request = clinic.SwapRequest(
        subject, old, new, old_word, new_word, old_answer, new_answer,
        prompt=prompt, wanted=wanted, basis=basis, nodes=nodes, dose=dose, seed=seed, device=device,
    )  # fmt: skip
    with progress_bar("swap") as progress:
        swapped = clinic.swap_concept(request, progress)
    if as_json:
        print_json(swapped.model_dump(mode="json", by_alias=True))
        return
    _print_swap(Console(highlight=False), swapped)


@verbs.command()
@plain_errors
def diff(
    before: File,
    after: File,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two circuits: two prompts, or two models. Needs no model.

    Example: brainscan circuit diff plain.json triggered.json
    """
    found = clinic.diff_circuits(before, after)
    if out is not None:
        write_graph(out, found)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
        return
    console = Console(highlight=False)
    print_line(console, (f"{found.shared} nodes shared, overlap {found.jaccard:.2f}", "bold"))
    for note in found.notes:
        print_line(console, (note, "dim"))
    for change in found.nodes[:20]:
        sides = " -> ".join("absent" if side is None else f"{side:.3f}" for side in (change.before, change.after))
        print_line(console, f"  {change.id:<22} {sides:<18} {change.difference:+.3f}  {change.label}")


@verbs.command()
@plain_errors
def aggregate(
    files: Annotated[list[Path] | None, typer.Argument(help="Circuits of one model, two or more.")] = None,
    subject: Annotated[str | None, typer.Option(help="Trace --prompts in this model instead of reading files.")] = None,
    prompts: Annotated[Path | None, typer.Option(help="Prompts: one a line, or .jsonl with a field prompt.")] = None,
    outcome: Token = None,
    basis: Basis = clinic.NEURONS,
    nodes: Nodes = 2000,
    least: Annotated[float, typer.Option(help="List what is in at least this share of circuits.", min=0, max=1)] = 0.5,
    chat: Chat = False,
    out: Out = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Lay circuits of many prompts over each other: which nodes and edges are stable, with intervals.

    Example: brainscan circuit aggregate lyon.json munich.json barcelona.json

    Example: brainscan circuit aggregate --subject smollm2-135m-instruct --prompts cities.txt --out cities.json
    """
    if (subject is None) == (not files) or (subject is None) != (prompts is None):
        raise UsageError("Circuits come from files, or from --subject with --prompts.", "Give one of the two.")
    if subject is not None and prompts is not None:
        settings = Settings(basis=basis, nodes=nodes, seed=seed)
        request = clinic.CircuitRequest(subject, "", clinic.Outcome(outcome), settings, chat, tests=0, device=device)
        lines = read_prompts(prompts)
        with progress_bar("aggregate") as progress:
            graphs = clinic.trace_many(request, lines, progress)
    else:
        graphs = tuple(clinic.open_circuit(file) for file in files or ())
    found = clinic.aggregate_circuits(graphs, least)
    if out is not None:
        write_graph(out, found)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
        return
    console = Console(highlight=False)
    print_line(console, (f"{found.n} circuits of {found.subject}, node overlap {found.jaccard:.2f}", "bold"))
    for item in found.nodes[:25]:
        bounds = f"[{item.interval.lo:.2f}, {item.interval.hi:.2f}]"
        print_line(
            console, f"  {item.id:<22} in {item.graphs}/{item.n} {bounds}  influence {item.mean:.3f}  {item.label}"
        )
    print_line(
        console, f"{len(found.nodes)} nodes and {len(found.edges)} edges are in {found.least:.0%} of them or more."
    )


@verbs.command()
@plain_errors
def export(
    file: File,
    out: Annotated[Path, typer.Option("--out", help="A folder for the graph JSON, its index and its feature files.")],
    slug: Annotated[str, typer.Option(help="The graph's short name there.")] = "circuit",
    scan: Annotated[str | None, typer.Option(help="The model id there. Default: the model's name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a circuit for circuit-tracer's page and for Neuronpedia.

    Example: brainscan circuit export lyon.json --out graphs --slug lyon
    """
    graph = clinic.export_circuit(file, out, slug, scan)
    written = out / f"{slug}.json"
    if as_json:
        print_json({"file": str(written), "nodes": len(graph.nodes), "edges": len(graph.edges)})
        return
    console = Console(highlight=False)
    print_line(console, f"Wrote {written} with {len(graph.nodes)} nodes, {len(graph.edges)} edges")


def _print(graph: Graph, as_json: bool, written: tuple[Path | None, ...]) -> None:
    if as_json:
        print_json(graph.model_dump(mode="json", by_alias=True))
        return
    from brainscan.report.circuit import print_circuit

    console = Console(highlight=False)
    print_circuit(console, graph)
    for path in written:
        if path is not None:
            print_line(console, f"Wrote {path}")


def _print_swap(console: Console, swapped: Swap) -> None:
    sides = (("before", swapped.before, swapped.wanted_before), ("after", swapped.after, swapped.wanted_after),
             ("random nodes", swapped.control, swapped.wanted_control))  # fmt: skip
    word = "swapped" if swapped.swapped else "NOT swapped"
    print_line(
        console,
        (f"{word}: {swapped.wanted!r} was wanted, {len(swapped.nodes)} nodes at token {swapped.position}", "bold"),
    )
    for name, said, wanted in sides:
        top = ", ".join(f"{each.token!r} {each.probability:.2f}" for each in said[:3])
        print_line(console, f"  {name:<13} wanted {wanted:.3f}; most likely {top}")
