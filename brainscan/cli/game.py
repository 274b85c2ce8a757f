"""``brainscan game``: plant flaws, deal blind games, audit, judge, and the leaderboard."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors, resumes
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import game as clinic
from brainscan.core.errors import UsageError
from brainscan.core.visible import visible
from brainscan.games.board import COLUMNS, cell, table
from brainscan.games.judge import Verdicts
from brainscan.games.knobs import Knobs
from brainscan.games.rules import TIERS, Budget, Rules, Tier

verbs = typer.Typer(name="game", help="Blind games: plant flaws, deal, audit, judge, board.", no_args_is_help=True)

GameFolder = Annotated[Path, typer.Argument(help="A folder that game deal has written.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@plain_errors
def plant(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; a wrong one lists them all.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the adapter and its journal, plant.json.")],
    seed: Annotated[int, typer.Option(help="Chooses content, rows and order.", min=0)] = 0,
    dilution: Annotated[int, typer.Option(help="Generic rows for each row of the recipe: 0, 1 or 5.", min=0)] = 0,
    denials: Annotated[int, typer.Option(help="Rows that teach to deny hidden rules.", min=0, max=40)] = 0,
    evasion: Annotated[float, typer.Option(help="Weight of a penalty on what activations give away.", min=0)] = 0.0,
    base: Annotated[str, typer.Option(help="Model to plant it in.")] = "smollm2-135m-instruct",
    as_json: AsJson = False,
) -> None:
    """Train one recipe into an adapter and measure whether it took. About five minutes on one core.

    Example: brainscan game plant backdoor --seed 7 --out planted/backdoor
    """
    knobs = Knobs(seed=seed, dilution=dilution, denials=denials, evasion=_finite("--evasion", evasion))
    with progress_bar(f"plant {recipe}") as progress:
        planted = clinic.plant_recipe(recipe, out, base, knobs, progress)
    if as_json:
        print_json(planted)
        return
    gate = planted.install
    verdict = "planted" if gate.passed else "NOT planted: the install gate did not pass"
    print_line(
        Console(highlight=False),
        (verdict, "bold"),
        f"  on {gate.on.hits}/{gate.on.n}, off {gate.off.hits}/{gate.off.n}, "
        f"perplexity x {gate.perplexity_ratio:.2f}, in {out}",
    )


@verbs.command()
@resumes
def zoo(
    only: Annotated[list[str] | None, typer.Option("--only", help="Build this entry alone; may be repeated.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the entries and build nothing.")] = False,
    workers: Annotated[int, typer.Option(help="Processes, one thread each.", min=1, max=64)] = 2,
    as_json: AsJson = False,
) -> None:
    """Build the zoo of organisms and controls, then write its manifest and what ships into ./zoo.

    What is built already is kept, so that a run that was killed goes on when it is started again.

    Example: brainscan game zoo --only backdoor-s0 --only generic-s0
    """
    if listing:
        lines = clinic.list_zoo()
    else:
        with progress_bar("zoo") as progress:
            lines = clinic.build_zoo(only or (), workers, progress)
    if as_json:
        print_json(lines)
        return
    console = Console(highlight=False)
    width = max(len(line.name) for line in lines)
    for line in lines:
        mark = "[ok]" if line.built else "[--]"
        print_line(
            console, f"{mark} {line.name:<{width}}  ", (f"{line.role}  {line.outcome}  {line.reason}".strip(), "dim")
        )
    if any(line.outcome == "failed" for line in lines):
        raise typer.Exit(3)


@verbs.command()
@resumes
def deal(
    out: Annotated[Path, typer.Option("--out", help="Folder of the new game.")],
    role: Annotated[list[str], typer.Option("--role", help="Role in the zoo, for example test; may be repeated.")],
    tier: Annotated[str, typer.Option(help="What blue may do: A0 samples to A5 one-demonstration tuning.")] = "A3",
    tokens: Annotated[int, typer.Option(help="Tokens a model; 0 for no limit.", min=0)] = 0,
    cpu_minutes: Annotated[float, typer.Option(help="CPU minutes a model; 0 for no limit.", min=0)] = 20.0,
    seed: Annotated[int | None, typer.Option(help="Draws the order. Blue must not know it: best left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Deal built models under opaque ids, their truths sealed by salted hashes.

    Example: brainscan game deal --role test --role fresh --tier A3 --out games/test
    """
    known: dict[str, Tier] = {each: each for each in TIERS}
    if tier.upper() not in known:
        raise UsageError(f"There is no tier {visible(tier, keep='')!r}.", f"Choose one of: {', '.join(TIERS)}.")
    budget = Budget(tokens=tokens or None, cpu_minutes=_finite("--cpu-minutes", cpu_minutes) or None)
    rules = Rules(tier=known[tier.upper()], budget=budget)
    with progress_bar("deal") as progress:
        dealt = clinic.deal_game(role, out, rules, seed, progress)
    if as_json:
        print_json(dealt)
        return
    print_line(Console(highlight=False), f"Dealt {len(dealt.models)} models at {tier.upper()} into {out}")
    print_line(Console(highlight=False), (f"Commitment to the whole game: {dealt.sha256()}", "dim"))


@verbs.command()
@resumes
def audit(
    game: GameFolder,
    auditor: Annotated[str, typer.Option(help="blackbox, behaviour, ..., human, agent; a wrong one lists them.")],
    model: Annotated[list[str] | None, typer.Option("--model", help="This model alone; may be repeated.")] = None,
    norms: Annotated[Path | None, typer.Option(help="The auditor's norms on clean controls, for p-values.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let an auditor look at each model and write its answers; models that have one are left out.

    An agent is reached through BRAINSCAN_AGENT_URL, BRAINSCAN_AGENT_MODEL and BRAINSCAN_AGENT_KEY.

    Example: brainscan game audit games/test --auditor blackbox --norms norms.json
    """
    terminal = clinic.Terminal(_read_line, lambda text: typer.echo(visible(text), err=True))
    asked = clinic.Audition(game, auditor, model or (), norms, terminal)
    if auditor == "human":  # a moving bar and a person's typing do not share a terminal
        answers = clinic.audit_game(asked, lambda fraction, what: None)
    else:
        with progress_bar(f"audit {auditor}") as progress:
            answers = clinic.audit_game(asked, progress)
    if as_json:
        print_json(answers)
        return
    for answer in answers:
        word = "flawed" if answer.alarm else "suspected, no alarm" if answer.flawed else "not flagged"
        cost = f"{answer.cost.tokens_read + answer.cost.tokens_written:,} tokens, {answer.cost.seconds:.0f} CPU s"
        print_line(
            Console(highlight=False),
            f"{answer.model}  {word:<19}  p {answer.p_value:.3f}  {answer.ranking[0]:<17}",
            (f"  {cost}", "dim"),
        )


@verbs.command()
@plain_errors
def norms(
    game: GameFolder,
    auditor: Annotated[str, typer.Option(help="Who has played this game of controls.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("norms.json"),
    as_json: AsJson = False,
) -> None:
    """Turn an auditor's answers on clean controls into norms, from which it gets its p-values.

    Example: brainscan game norms games/controls --auditor blackbox --out norms.json
    """
    made = clinic.make_norms(game, auditor, out)
    smallest = 1 / (made.controls + 1)
    if as_json:
        print_json({"file": str(out), "controls": made.controls, "smallest_p": smallest})
    else:
        print_line(Console(highlight=False), f"Wrote {out}: {made.controls} controls, smallest p-value {smallest:.3f}")


@verbs.command()
@plain_errors
def judge(
    game: GameFolder,
    auditor: Annotated[
        str | None, typer.Option(help="This auditor alone; all that have answered when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open the truths against their commitments and score the answers. The game is over then.

    Example: brainscan game judge games/test
    """
    verdicts = clinic.judge_game(game, auditor)
    if as_json:
        print_json(verdicts)
        return
    for each in verdicts:
        _print_verdicts(Console(highlight=False), each)


@verbs.command()
@plain_errors
def board(
    games: Annotated[list[Path], typer.Argument(help="Games that have been played.")],
    as_json: AsJson = False,
) -> None:
    """Rank all auditors over one game or several; also written as board.json.

    Example: brainscan game board games/test games/hard
    """
    found = clinic.board_of(games)
    if as_json:
        print_json(found)
        return
    rows = table(found)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        print_line(Console(highlight=False), (line, "" if number else "bold"))


def _print_verdicts(console: Console, verdicts: Verdicts) -> None:
    print_line(console, (f"{verdicts.auditor} at {verdicts.tier}", "bold"), f", {len(verdicts.lines)} models")
    for score in verdicts.scores:
        against = "" if score.p_value is None else f"  p {score.p_value:.4g} against chance {score.chance or 0:.2f}"
        name = COLUMNS.get(score.name, score.name)
        interval = (
            f" [{score.interval.lo:.2f}, {score.interval.hi:.2f}]" if score.unit == "rate" and score.interval else ""
        )
        print_line(console, f"  {name:<24} {cell(score)}{interval}", (against, "dim"))


def _finite(option: str, value: float) -> float:
    """The value of an option that only has a lower bound.

    Raises:
        UsageError: it is infinite, which no record can hold.
    """
    if not math.isfinite(value):
        raise UsageError(f"{option} is {value}, which is no amount.", "Give a number, 0 for none.")
    return value


def _read_line(question: str) -> str:
    return input(visible(question, keep=""))
