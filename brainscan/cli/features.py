"""``brainscan features``: survey a dictionary, then show, search, label and export its features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from brainscan.cli.errors import plain_errors
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import features as clinic
from brainscan.core.visible import visible
from brainscan.features.examples import Example
from brainscan.features.score import Score, ScoredLabel

verbs = typer.Typer(
    name="features", help="What features mean: survey, show, search, label, export.", no_args_is_help=True
)

Survey = Annotated[Path, typer.Argument(help="A folder that features survey has written.")]
Chosen = Annotated[list[int] | None, typer.Option("--feature", help="This feature; may be repeated.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@plain_errors
def survey(
    dictionary: Annotated[str, typer.Argument(help="A dictionary; FOLDER#2 is part 2 of a set.")],
    subject: Annotated[str, typer.Option(help="The model that it belongs to.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    text: Annotated[str | None, typer.Option(help="Texts to read; by default the corpus.")] = None,
    tokens: Annotated[int, typer.Option(help="Tokens to read.", min=256)] = 200_000,
    context: Annotated[int, typer.Option(help="Tokens read at once.", min=32)] = 128,
    site: Annotated[
        str | None, typer.Option(help="What the dictionary reads, as resid_post.15, where it does not say so itself.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read texts once and write down where every feature fires. All other verbs read that folder.

    Example: brainscan features survey my-sae --subject smollm2-135m-instruct --out survey
    """
    with progress_bar("survey") as progress:
        wanted = clinic.Surveying(dictionary, subject, out, text, tokens, context, site)
        about = clinic.survey_features(wanted, progress)
    if as_json:
        print_json({"folder": str(out), **about.model_dump(mode="json")})
    else:
        print_line(
            Console(highlight=False), f"Surveyed {about.n_features:,} features on {about.counted:,} tokens into {out}"
        )


@verbs.command()
@plain_errors
def show(
    folder: Survey,
    feature: Annotated[int, typer.Argument(help="Number of the feature.", min=0)],
    examples: Annotated[int, typer.Option(help="Strongest examples to print.", min=1, max=50)] = 5,
    as_json: AsJson = False,
) -> None:
    """Show one feature: label with score, firing rate, what it raises, neighbours, examples.

    Example: brainscan features show survey 1234
    """
    shown = clinic.show_feature(folder, feature, examples)
    if as_json:
        print_json(shown)
        return
    console = Console(highlight=False)
    print_line(console, (f"feature {feature}  ", "bold"), _label(shown.label))
    print_line(console, f"  fires on {shown.rate:.3%} of tokens ({shown.firings:,}), at most {shown.largest:.2f}")
    for name, listed in (("raises +", shown.raised), ("lowers -", shown.lowered), ("near", shown.neighbours)):
        if listed:
            print_line(console, f"  {name:<9}", ", ".join(f"{each.name!r} {each.value:+.2f}" for each in listed[:8]))
    print_line(console, ("  strongest", "dim"))
    for example in shown.strongest:
        _print_example(console, example)
    for place, part in enumerate(shown.slices[1:], 2):
        print_line(console, (f"  fifth {place} of 5", "dim"))
        for example in part:
            _print_example(console, example)


@verbs.command()
@plain_errors
def search(
    folder: Survey,
    words: Annotated[str | None, typer.Argument(help="Words to look for in labels, tokens and raised tokens.")] = None,
    text: Annotated[str | None, typer.Option(help="Find what this text makes fire.")] = None,
    against: Annotated[str | None, typer.Option(help="With --text: find what differs from this text.")] = None,
    count: Annotated[int, typer.Option(help="Features to list.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Find features by words, by a text that makes them fire, or by contrast between two texts.

    Example: brainscan features search survey --text "The ship sank." --against "The train left."
    """
    with progress_bar("search") as progress:
        hits = clinic.search_features(folder, words, text, against, count, progress)
    if as_json:
        print_json(hits)
        return
    console = Console(highlight=False)
    for hit in hits:
        print_line(
            console, (f"{hit.feature:>7}", "bold"), f"  {hit.score:>+8.2f}  {hit.label}", (f"  {hit.why}", "dim")
        )
    if not hits:
        print_line(console, "No feature was found.")


@verbs.command()
@plain_errors
def label(
    folder: Survey,
    feature: Chosen = None,
    sample: Annotated[
        int | None, typer.Option(help="So many drawn at random; all that fired when left out.", min=1)
    ] = None,
    labeller: Annotated[
        str, typer.Option(help="evidence, endpoint (BRAINSCAN_AGENT_URL and BRAINSCAN_AGENT_MODEL), or local:MODEL.")
    ] = "evidence",
    seed: Annotated[int, typer.Option(help="Of the sample and the held-out text.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Propose labels on half of the texts and score them on the other half. Needs no language model by default.

    Example: brainscan features label survey --sample 200
    """
    with progress_bar("label") as progress:
        summary, scored = clinic.label_survey(folder, labeller, feature or (), sample, seed, progress)
    if as_json:
        print_json({"summary": summary.model_dump(mode="json"), "labels": [s.model_dump(mode="json") for s in scored]})
        return
    console = Console(highlight=False)
    for each in scored[:40]:
        print_line(
            console, (f"{each.label.feature:>7}", "bold"), f"  {_score(each.detection)}  {each.label.text or '-'}"
        )
    if len(scored) > 40:
        print_line(console, (f"  and {len(scored) - 40} more", "dim"))
    print_line(console, (f"{summary.labelled} of {summary.drawn} labelled by {summary.labeller}", "bold"))
    if summary.detection is not None:
        bounds = summary.detection_interval
        within = f" [{bounds.lo:.3f}, {bounds.hi:.3f}]" if bounds else ""
        print_line(console, f"  mean detection {summary.detection:.3f}{within} (chance 0.5)")
    for name in ("detection_of_all", "against_neighbour", "fuzzing", "borrowed"):
        if (value := getattr(summary, name)) is not None:
            print_line(console, f"  {_MEANS[name]:<52}{value:.3f}")


@verbs.command()
@plain_errors
def export(
    folder: Survey,
    out: Annotated[Path, typer.Argument(help="File to write; for neuronpedia a folder.")],
    form: Annotated[str, typer.Option("--form", help="html, json or neuronpedia.")] = "html",
    feature: Chosen = None,
    sample: Annotated[int | None, typer.Option(help="So many drawn at random.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Write features as one page that needs no script and no network, as JSON, or for Neuronpedia's import.

    Example: brainscan features export survey features.html --sample 40
    """
    with progress_bar("export") as progress:
        written = clinic.export_features(folder, out, form, feature or (), sample, progress)
    if as_json:
        print_json({"written": str(written)})
    else:
        print_line(Console(highlight=False), f"Wrote {written}")


_MEANS = {
    "detection_of_all": "  of all drawn, none labelled counted as chance",
    "against_neighbour": "  against the nearest neighbour's texts",
    "fuzzing": "  fuzzing: are the marked tokens right",
    "borrowed": "  baseline: the label of another feature",
}


def _label(scored: ScoredLabel | None) -> str:
    if scored is None:
        return "not labelled"
    return f"{scored.label.text or 'no label was found'}  (detection {_score(scored.detection)})"


def _score(score: Score | None) -> str:
    return "not scored" if score is None else f"{score.value:.2f} [{score.interval.lo:.2f}, {score.interval.hi:.2f}]"


def _print_example(console: Console, example: Example) -> None:
    """The text with firing tokens underlined and, without colour too, the strongest one in brackets."""
    line = Line("    ")
    for place, (token, value) in enumerate(zip(example.tokens, example.values, strict=True)):
        shown = visible(token, keep="").replace("<U+000A>", "\\n")
        line.append(f"[{shown}]" if place == example.peak else shown, "bold" if value > 0 else "dim")
    console.print(line, soft_wrap=True)
