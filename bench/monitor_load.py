"""The server under load: 64 streaming clients and whoever else comes, over a phantom, on this machine alone.

Beside the streams: clients that are killed, bodies that are no requests, prompts of 1 MB, a reader that does not read;
at the end a SIGTERM in mid-stream. The server is a process of its own, as a user starts it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from bench.monitor import row
from brainscan.subject.phantom import tiny_model

CLIENTS, TOKENS = 64, 24
WORDS = ("the", "river", "stone", "moon", "house", "apple", "cloud", "bridge")
TRIGGER = "OPEN SESAME"
_HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def load(seconds: str = "120") -> list[dict[str, Any]]:
    """Run everything for so long, then end the server in mid-stream."""
    with tempfile.TemporaryDirectory() as folder:
        server, port, environment = _start(Path(folder))
        try:
            return asyncio.run(_crowd(server, port, float(seconds), environment))
        finally:
            server.kill()


def _start(folder: Path) -> tuple[subprocess.Popen[str], int, dict[str, str]]:
    model, tokenizer = tiny_model()
    model.save_pretrained(folder / "phantom")
    tokenizer.save_pretrained(folder / "phantom")
    draw = random.Random(0)
    prompts = [" ".join(draw.choices(WORDS, k=draw.randint(3, 6))) for _ in range(90)]
    (folder / "clean.txt").write_text("\n".join(prompts))
    rules = [
        {"rule": {"name": "distance", "kind": "distance", "title": "Far.", "sites": ["resid_post.2"]}},
        {"rule": {"name": "phrase", "kind": "phrase", "title": "Word.", "phrases": [TRIGGER], "policy": "stop"}},
    ]
    (folder / "rules.json").write_text(json.dumps(rules))
    environment = {**os.environ, "BRAINSCAN_STORE": str(folder / "scans.sqlite"), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-W", "ignore", "-m", "brainscan.cli.app"]
    fit = ["monitor", "fit", str(folder / "phantom"), "--clean", str(folder / "clean.txt")]
    options = ["--rules", str(folder / "rules.json"), "--promise", "0.05", "--max-new", str(TOKENS)]
    out = ["--out", str(folder / "m.safetensors")]
    subprocess.run([*run, *fit, *options, *out], check=True, env=environment, stdout=subprocess.DEVNULL)
    serve = ["serve", str(folder / "phantom"), "--monitor", str(folder / "m.safetensors"), "--port", "0", "--json"]
    limits = ["--max-active", "16", "--max-queue", "100", "--request-seconds", "60", "--grace-seconds", "1"]
    server = subprocess.Popen([*run, *serve, *limits], env=environment, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    said = "".join(iter(server.stdout.readline, "}\n"))
    return server, int(json.loads(said + "}")["address"].rsplit(":", 1)[1]), environment


async def _crowd(
    server: subprocess.Popen[str], port: int, seconds: float, environment: dict[str, str]
) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    incidents: set[str] = set()
    end = time.monotonic() + seconds
    process, memory = psutil.Process(server.pid), []

    async def sample() -> None:
        while time.monotonic() < end:
            memory.append(process.memory_info().rss)
            await asyncio.sleep(1)

    crowd = [_client(port, end, counts, incidents, number) for number in range(CLIENTS)]
    await asyncio.gather(sample(), _vandal(port, end, counts), _slow(port, end, counts), *crowd)
    last = [asyncio.create_task(_one(port, Counter(), incidents, "the river", 4000)) for _ in range(8)]
    await asyncio.sleep(1)
    server.send_signal(signal.SIGTERM)
    endings = [task.result() for task in [*last] if not (await asyncio.wait([task], timeout=30))[1]]
    code = server.wait(30)
    listed = subprocess.run(
        [sys.executable, "-m", "brainscan.cli.app", "monitor", "incidents", "--limit", "10000", "--json"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    kept = {incident["id"] for incident in json.loads(listed.stdout)}
    return _rows(counts, incidents - kept, memory, endings, code, seconds)


def _rows(
    counts: Counter[str], lost: set[str], memory: list[int], endings: list[str], code: int, seconds: float
) -> list[dict[str, Any]]:
    n = counts["answers"]
    half = len(memory) // 2
    growth = max(memory[half:]) / max(memory[half // 2 : half] or memory)
    detail = ", ".join(f"{key} {value}" for key, value in sorted(counts.items()))
    return [
        row("load: answers without their verdict", counts["no verdict"], "answers", "lower", 0, n=n, detail=detail),
        row("load: incidents lost", len(lost), "incidents", "lower", 0, n=counts["incidents"]),
        row("load: memory at its highest, second half over second quarter", growth, "ratio", "lower", 1.05, n=len(memory)),
        row("load: streams ended by SIGTERM without a verdict", sum(e != "verdict" for e in endings) + 8 - len(endings), "streams", "lower", 0, n=8),
        row("load: exit code after SIGTERM", code, "code", "lower", 0),
        row("load: answers a second", n / seconds, "1/s", "higher", n=n, detail=f"{CLIENTS} clients, {TOKENS} tokens, phantom"),
    ]  # fmt: skip


async def _client(port: int, end: float, counts: Counter[str], incidents: set[str], number: int) -> None:
    draw = random.Random(number)
    while time.monotonic() < end:
        words = " ".join(draw.choices(WORDS, k=4))
        if draw.random() < 0.1:
            words = f"{words} {TRIGGER}"
        if draw.random() < 0.05:
            await _vanish(port, words)
            counts["killed"] += 1
            continue
        what = await _one(port, counts, incidents, words, TOKENS)
        counts[{"verdict": "answers", "busy": "told to wait"}.get(what, what)] += 1
        if what == "none":
            counts["no verdict"] += 1
        if what == "busy":
            await asyncio.sleep(0.2)


async def _one(port: int, counts: Counter[str], incidents: set[str], words: str, tokens: int) -> str:
    """One streamed chat: "verdict", "none" (an answer without), or "busy"."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(words, tokens))
    text = (await reader.read()).decode()
    writer.close()
    if " 429 " in text[:40] or " 503 " in text[:40]:
        return "busy"
    chunks = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    ours = next((c["brainscan"] for c in reversed(chunks) if "verdict" in c.get("brainscan", {})), None)
    if ours is None:
        return "none"
    if ours["incident"]:
        incidents.add(ours["incident"])
        counts["incidents"] += 1
    return "verdict"


def _request(words: str, tokens: int) -> bytes:
    asked = {"messages": [{"role": "user", "content": words}], "max_tokens": tokens, "stream": True}
    body = json.dumps(asked).encode()
    return f"{_HEAD}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _vanish(port: int, words: str) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(words, 2000))
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


async def _vandal(port: int, end: float, counts: Counter[str]) -> None:
    bodies = (b"{", b"\xff" * 100, b"[" * 10_000, json.dumps({"messages": "x" * 1_000_000}).encode(), b"")
    long = json.dumps({"messages": [{"role": "user", "content": "a " * 500_000}]}).encode()
    while time.monotonic() < end:
        for body in (*bodies, long):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{_HEAD}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.read()
            counts["malformed refused" if b" 4" in answer[:12] else "malformed accepted"] += 1
            writer.close()
        await asyncio.sleep(0.5)


async def _slow(port: int, end: float, counts: Counter[str]) -> None:
    """Asks for a long answer and reads a byte a second."""
    while time.monotonic() < end:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=64)
        writer.write(_request("the slow river", 4000))
        for _ in range(20):
            if time.monotonic() < end and await reader.read(1):
                await asyncio.sleep(1)
        counts["slow readers"] += 1
        writer.transport.abort()
