"""``brainscan dictionary``: train, judge, convert, list and show dictionaries of features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors, resumes
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import dictionaries as clinic
from brainscan.clinic.judging import Judging, judge_dictionary
from brainscan.core.evidence import Measurement

verbs = typer.Typer(
    name="dictionary", help="Dictionaries of features: train, judge, convert, list, show.", no_args_is_help=True
)

Ref = Annotated[
    str, typer.Argument(help="A folder, or a name that dictionary list shows; FOLDER#2 is part 2 of a set.")
]
Text = Annotated[
    str | None,
    typer.Option(help="Folder or file of .txt, .jsonl, .parquet (#field), or hf:org/name; by default the corpus."),
]

Writes = Annotated[
    list[str] | None, typer.Option("--writes", help="Transcoders: what each --site is to predict, in order.")
]
Widths = Annotated[
    list[int] | None, typer.Option("--features", help="Features; several widths train together. [default: 8192]")
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the dictionaries; by default in the cache.")]
Shards = Annotated[Path | None, typer.Option(help="Harvest activations into this folder once and train from the disk.")]
Dtype = Annotated[
    str, typer.Option(help="With --shards: float16, or float32 where activations are too large for that.")
]
Passes = Annotated[
    int, typer.Option(help="With --shards: read the harvest so many times, and harvest so much less.", min=1)
]
Sketch = Annotated[
    int, typer.Option(help="32,768 features and more: guess from so many dimensions (a ninth) which to compute.", min=0)
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@resumes
def train(
    subject: Annotated[str, typer.Argument(help="The model: a short name, a folder, or org/name on the hub.")],
    site: Annotated[list[str], typer.Option("--site", help="Where to read, as resid_post.15; may be repeated.")],
    writes: Writes = None,
    kind: Annotated[str, typer.Option(help="relu, topk, batchtopk, jumprelu, gated, matryoshka, ...")] = "batchtopk",
    features: Widths = None,
    k: Annotated[int, typer.Option("-k", help="Features active at once.", min=1)] = 32,
    tokens: Annotated[int, typer.Option(help="Tokens to train on; texts are read again as needed.", min=1)] = 2_000_000,
    batch: Annotated[int, typer.Option(help="Tokens a step.", min=1)] = 2048,
    context: Annotated[int, typer.Option(help="Tokens read at once.", min=2)] = 128,
    memory: Annotated[int, typer.Option(help="Megabytes for activations; the weights are not in it.", min=1)] = 1024,
    text: Text = None,
    out: Out = None,
    shards: Shards = None,
    dtype: Dtype = "float16",
    passes: Passes = 1,
    seed: Annotated[int, typer.Option(help="Of weights and order.", min=0)] = 0,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate; by default it follows the width.")] = None,
    sketch: Sketch = 0,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.", min=1)] = 500,
    as_json: AsJson = False,
) -> None:
    """Train dictionaries, every width at every site over one stream. The same command again goes on where it stopped.

    Example: brainscan dictionary train smollm2-135m-instruct --site resid_post.15 --features 8192 --tokens 2000000
    """
    training = clinic.Training(
        subject=subject,
        sites=tuple(site),
        writes=tuple(writes or ()),
        kind=kind,
        widths=tuple(features or (8192,)),
        k=k,
        tokens=tokens,
        batch=batch,
        context=context,
        memory=memory,
        text=text,
        out=out,
        shards=shards,
        dtype=dtype,
        passes=passes,
        seed=seed,
        lr=lr,
        sketch=sketch,
        checkpoint_every=checkpoint_every,
    )
    with progress_bar("train") as progress:
        trained = clinic.train_dictionaries(training, progress)
    if as_json:
        print_json(trained)
        return
    console = Console(highlight=False)
    for each in trained:
        variance = "" if each.explained_variance is None else f"  explained variance {each.explained_variance:.3f}"
        active = "" if each.l0 is None else f"  L0 {each.l0:.1f}"
        print_line(console, (each.name, "bold"), f"{variance}{active}  {each.tokens:,} tokens")
        print_line(console, (f"  {each.folder}", "dim"))


@verbs.command("eval")
@plain_errors
def judge(
    dictionary: Ref,
    subject: Annotated[str, typer.Option(help="The model that it belongs to.")],
    text: Text = None,
    tokens: Annotated[int, typer.Option(help="Tokens to judge on.", min=100)] = 50_000,
    saebench: Annotated[Path | None, typer.Option(help="Write SAEBench's result JSON to this file.")] = None,
    other: Annotated[
        str | None, typer.Option("--other", help="The same dictionary from another seed: are the features the same?")
    ] = None,
    concepts: Annotated[
        bool, typer.Option("--concepts", help="Probe for word classes with 1, 2 and 5 features beside full probes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge a dictionary: sparsity, explained variance, what becomes of the model's predictions, dead features.

    Example: brainscan dictionary eval smollm2-135m-instruct/resid_post.15-batchtopk-8192 --subject smollm2-135m-instruct
    """
    with progress_bar("judge") as progress:
        judged = judge_dictionary(Judging(dictionary, subject, text, tokens, saebench, other, concepts), progress)
    if as_json:
        print_json(judged)
        return
    console = Console(highlight=False)
    print_line(console, (judged.folder, "bold"), f" on {judged.subject}, {judged.tokens:,} tokens of {judged.text}")
    if judged.trained_on_these_texts:
        print_line(console, ("It was trained on these texts: other texts (--text) say more.", "dim"))
    for measurement in judged.measurements:
        _print_measurement(console, measurement)
    for each in judged.concepts:
        few = "  ".join(f"{m.name.rpartition('_')[2]}: {m.value:.2f}" for m in each.measurements)
        beside = ", ".join(f"{b.what} {b.value:.2f}" for b in each.measurements[0].baselines)
        print_line(console, f"  {each.concept:<30}", f"with features {few}", (f"  {beside}", "dim"))


@verbs.command()
@plain_errors
def convert(
    dictionary: Annotated[
        str, typer.Argument(help="A folder or file in any known format; FOLDER#2 is part 2 of a set.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    to: Annotated[str, typer.Option(help="brainscan, saelens or circuit-tracer.")] = "brainscan",
    source: Annotated[str | None, typer.Option("--from", help="Format of the source, where sniffing errs.")] = None,
    site: Annotated[
        str | None, typer.Option(help="What it reads, as resid_post.15, where it does not say so itself.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a dictionary of another program (SAELens, dictionary_learning, sparsify, Gemma Scope, circuit-tracer) and write it.

    Example: brainscan dictionary convert gemma-scope/layer_12/width_16k/average_l0_82 mine --to saelens
    """
    written = clinic.convert_dictionary(dictionary, out, to, source, site)
    if as_json:
        print_json(written)
    else:
        print_line(
            Console(highlight=False), f"Wrote {written.folder}: {written.format}, {len(written.parts)} dictionaries"
        )


@verbs.command("list")
@plain_errors
def list_dictionaries(
    folder: Annotated[Path | None, typer.Argument(help="Where to look; by default the cache.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the dictionaries in a folder.

    Example: brainscan dictionary list
    """
    found = clinic.list_dictionaries(folder)
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        print_line(console, (f"{each.name:<{width}}", "bold"), f"  {each.format:<20}{each.megabytes:>9,.1f} MB")
    if not found:
        where = folder or clinic.dictionaries_folder()
        print_line(console, f"No dictionary in {where}. Train one: brainscan dictionary train")


@verbs.command()
@plain_errors
def show(dictionary: Ref, as_json: AsJson = False) -> None:
    """Say what a dictionary is: kind, width, sites, what it was trained on.

    Example: brainscan dictionary show smollm2-135m-instruct/resid_post.15-batchtopk-8192
    """
    shown = clinic.show_dictionary(dictionary)
    if as_json:
        print_json(shown)
        return
    console = Console(highlight=False)
    print_line(console, (shown.folder, "bold"), f"  {shown.format}, {shown.kind}")
    for number, part in enumerate(shown.parts):
        where = ", ".join(part.reads) or "a site that it does not name"
        to = "" if part.reads == part.writes else f" -> {', '.join(part.writes)}"
        sparse = f", k {part.k}" if part.k else ""
        line = f"  {number}: {part.n_features:,} features, {part.activation}{sparse}, {where}{to}, width {part.d_in}"
        print_line(console, line)
    for key, value in sorted(shown.about.items()):
        if isinstance(value, str | int | float):
            print_line(console, (f"  {key}: {value}", "dim"))


def _print_measurement(console: Console, measurement: Measurement) -> None:
    name = measurement.name.removeprefix("dictionary.")
    print_line(console, f"  {name:<30}{measurement.value:>12.4f}  ", (measurement.meaning, "dim"))
