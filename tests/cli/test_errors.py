"""What goes wrong becomes one sentence on stderr and the right exit code."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from brainscan.cli.errors import plain_errors, resumes
from brainscan.core.errors import RecordError, SelfCheckFailed


def code_of(error: BaseException) -> int:
    @plain_errors
    def verb() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        verb()
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (RecordError("It broke.", "Mend it."), 3, "error: It broke. Mend it.\n"),
        (SelfCheckFailed("It differs.", "Report it."), 2, "error: It differs. Report it.\n"),
        (RecordError("Evil \x1b[31m\nsecond line.", "Go."), 3, "error: Evil <U+001B>[31m<U+000A>second line. Go.\n"),
        (
            UnicodeEncodeError("utf-8", "x\udcff", 1, 2, "surrogates not allowed"),
            3,
            "error: A name in this command is not valid UTF-8. Rename the file or folder.\n",
        ),
        (
            UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range(128)"),
            3,
            "error: The output cannot be written in ascii. Set PYTHONIOENCODING=utf-8.\n",
        ),
        (KeyboardInterrupt(), 130, "\nInterrupted.\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/x/y"),
            3,
            "error: The disk is full at /x/y; nothing was left half-written. "
            "Free some space, then run the same command again.\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            3,
            "error: The file or disk at /x refused: Permission denied. Check the path and the disk.\n",
        ),
    ],
)
def test_each_error_has_its_sentence_and_code(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(error) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", sentence)


def test_only_verbs_that_resume_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    @resumes
    def verb() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit):
        verb()
    assert capsys.readouterr().err == "\nInterrupted; run the same command again to resume.\n"


def test_a_programming_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        code_of(ZeroDivisionError())


def test_an_exit_keeps_its_code_and_a_result_its_value() -> None:
    assert code_of(typer.Exit(1)) == 1
    assert plain_errors(lambda: 7)() == 7


def test_a_closed_pipe_and_a_full_disk_behind_stdout_are_quiet() -> None:
    script = "from brainscan.cli.errors import plain_errors\nimport typer\n"
    script += "app = typer.Typer()\n@app.command()\n@plain_errors\ndef verb() -> None:\n    print('x' * 100)\napp()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    assert done.stderr.startswith("error: The disk is full")
    assert done.stderr.count("\n") == 1
    reader = subprocess.Popen([sys.executable, "-c", "pass"], stdin=subprocess.PIPE)
    assert reader.wait() == 0
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=reader.stdin, stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert reader.stdin is not None
    reader.stdin.close()
