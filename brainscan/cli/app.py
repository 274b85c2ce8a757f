"""brainscan's command line: one verb a file, registered here in the order of the help text."""

from __future__ import annotations

import importlib

import typer

_VERBS = (
    "scan",
    "library",
    "compare",
    "gate",
    "calibrate",
    "game",
    "corpus",
    "dictionary",
    "features",
    "superposition",
    "circuit",
    "treat",
    "monitor",
    "serve",
    "vision",
    "models",
    "doctor",
)

app = typer.Typer(
    name="brainscan",
    help="An MRI for AI: scan a language model, find what is wrong with it, and know the error rate.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for _verb in _VERBS:
    importlib.import_module(f"brainscan.cli.{_verb}").register(app)


def main() -> None:
    """Entry point. Usage errors exit with 3, so that 2 always means CANNOT TELL."""
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = 130
    except Exception as error:
        # typer may bundle a click of its own, so a usage error is known by its manners, not its class.
        if not hasattr(error, "show"):
            raise
        error.show()  # pyright: ignore[reportAttributeAccessIssue]
        code = 3
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
