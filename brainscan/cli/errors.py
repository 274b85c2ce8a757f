"""Errors at the door: one sentence and an exit code, never a traceback for a user's mistake."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from brainscan.core.errors import BrainscanError, StorageError, UsageError
from brainscan.core.visible import visible

Verb = TypeVar("Verb", bound=Callable[..., Any])

INTERRUPTED = 130


def plain_errors(verb: Verb) -> Verb:
    """Decorate a verb so that what goes wrong on purpose is said on stderr and becomes the exit code.

    Exit codes: the error's own (3 unless said otherwise), 130 for Ctrl-C, 141 when the reader of a pipe is gone.
    """
    return _guarded(verb, "Interrupted.")


def resumes(verb: Verb) -> Verb:
    """``plain_errors`` for a verb that goes on where it was stopped, unless it is told to begin anew; this is then said."""
    return _guarded(
        verb, "Interrupted; run the same command again to resume.", "Interrupted; leave out --fresh to resume."
    )


def _guarded(verb: Verb, interrupted: str, fresh: str = "") -> Verb:
    @functools.wraps(verb)
    def guarded(*arguments: Any, **options: Any) -> Any:
        try:
            try:
                return verb(*arguments, **options)
            finally:
                sys.stdout.flush()  # a full disk or a closed pipe behind stdout shows here and not at exit
        except BrainscanError as error:
            raise say(error) from error
        except KeyboardInterrupt as error:
            print(f"\n{fresh if options.get('fresh') else interrupted}", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from error
        except BrokenPipeError as error:
            _drop_stdout()
            raise typer.Exit(141) from error
        except UnicodeEncodeError as error:
            raise say(_encoding_error(error)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                _drop_stdout()
            raise say(_storage_error(error)) from error

    return guarded  # type: ignore[return-value]


def say(error: BrainscanError) -> typer.Exit:
    """Print an error as one line on stderr and return the exit that it stands for."""
    print(visible(f"error: {error.cause} {error.next_step}".strip(), keep="", limit=4000), file=sys.stderr)
    return typer.Exit(error.exit_code)


def _encoding_error(error: UnicodeEncodeError) -> UsageError:
    """Surrogates come from a path or argument whose bytes are no text; all else from the encoding of stdout."""
    if "surrogates" in error.reason:
        return UsageError("A name in this command is not valid UTF-8.", "Rename the file or folder.")
    return UsageError(f"The output cannot be written in {error.encoding}.", "Set PYTHONIOENCODING=utf-8.")


def _storage_error(error: OSError) -> StorageError:
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full{where}; nothing was left half-written.",
            "Free some space, then run the same command again.",
        )
    return StorageError(f"The file or disk{where} refused: {error.strerror or error}.", "Check the path and the disk.")


def _drop_stdout() -> None:
    """Nobody can read stdout any more: keep Python from trying again, and complaining, at exit."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as sink:  # noqa: PTH123
        os.dup2(sink.fileno(), sys.stdout.fileno())
