"""make bench: measure speed and memory in one run, as ratios where two things are compared.

python -m bench.run [CASE ...]     all of CASES, or those named; the results keep the others

A case is a module of this folder, or one function of it: ``dictionary:routed``. Cases that begin with
``dictionary`` write docs/dictionaries.json, the others bench/results.json.
"""

from __future__ import annotations

import importlib
import json
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
DICTIONARIES = Path(__file__).parents[1] / "docs" / "dictionaries.json"
CASES = ("capture", "plans")


def main(names: Iterable[str]) -> None:
    """Run cases and merge their rows into the results."""
    for name in list(names) or list(CASES):
        module, _, function = name.partition(":")
        path = DICTIONARIES if module.startswith("dictionary") else RESULTS
        for row in getattr(importlib.import_module(f"bench.{module}"), function or "measure")():
            whole = complete(row, f"python -m bench.run {name}")
            kept = json.loads(path.read_text()) if path.is_file() else []
            kept = [other for other in kept if other["name"] != whole["name"]] + [whole]
            print_row(whole)
            path.write_text(json.dumps(sorted(kept, key=lambda r: r["name"]), indent=1) + "\n")


def complete(row: dict[str, Any], command: str) -> dict[str, Any]:
    """A row with everything that a reader needs to repeat it."""
    machine = f"{platform.processor() or platform.machine()}, {len_cores()} cores, {platform.system()}"
    today = datetime.now(UTC).date().isoformat()
    return {"peer": None, "seed": 0, **row, "command": command, "machine": machine, "date": today}


def len_cores() -> int:
    """Cores that this process may use."""
    import os

    return len(os.sched_getaffinity(0))


def print_row(row: dict[str, Any]) -> None:
    """One line: name, value, target, and whether it is met."""
    target, value = row["target"], row["value"]
    met = (
        ""
        if target is None
        else ("met" if (value >= target) == (row["better"] == "higher") or value == target else "MISSED")
    )
    print(f"{row['name']:<44} {value:>10.4g} {row['unit']:<8} target {target}  {met}")


if __name__ == "__main__":
    main(sys.argv[1:])
