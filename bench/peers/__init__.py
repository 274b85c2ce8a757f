"""Peers, each in a virtual environment of its own: made on first use, spoken to through a subprocess and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VENVS = HERE.parents[1] / ".venv-peers"


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, which is made from ``<peer>.txt`` if it is not there."""
    python = VENVS / peer / "bin" / "python"
    ready = VENVS / peer / ".ready"
    if not ready.is_file():
        subprocess.run([sys.executable, "-m", "venv", VENVS / peer], check=True)
        # torch first and pinned: a bare "torch" would bring gigabytes of CUDA.
        for wanted in (["torch==2.13.0"], ["-r", HERE / f"{peer}.txt"]):
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        ready.touch()
    return python


def ask(peer: str, script: str, **question: Any) -> dict[str, Any]:
    """Run a script of this folder in the peer's environment; it reads JSON from stdin and prints JSON last."""
    done = subprocess.run(
        [python_of(peer), HERE / script], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{peer} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
