"""Real clients, unchanged: the official openai package (Python) and Vercel's AI SDK (JavaScript, code of its own)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.monitor import row
from bench.monitor_load import _start
from bench.peers import HERE, VENVS, ask

PACKAGES = ("ai@5", "@ai-sdk/openai-compatible@1")


def clients() -> list[dict[str, Any]]:
    """Each client chats, streams, completes and meets an alarm; the row counts what it could do."""
    with tempfile.TemporaryDirectory() as folder:
        server, port, _ = _start(Path(folder))
        try:
            base = f"http://127.0.0.1:{port}/v1"
            python = ask("openai", "openai_client.py", base=base)
            script = _javascript(base)
        finally:
            server.terminate()
            server.wait(30)
    return [_row("openai (Python)", python), _row("Vercel AI SDK (JavaScript)", script)]


def _javascript(base: str) -> dict[str, Any]:
    home = VENVS / "ai-sdk"
    if not (home / "node_modules").is_dir():
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", str(home), *PACKAGES], check=True)
    (home / "client.mjs").write_text((HERE / "ai_sdk_client.mjs").read_text())
    done = subprocess.run(["node", str(home / "client.mjs"), base], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    done = [key for key, value in found["done"].items() if value]
    return row(
        f"client runs unchanged: {name}",
        float(len(done) == len(found["done"])),
        "yes",
        "higher",
        1,
        n=len(found["done"]),
        detail=f"version {found['version']}: {', '.join(done)}",
    )
