"""make bench: measure speed and memory in one run, as ratios where two things are compared.

python -m bench.run [CASE ...]     all cases, or those named; bench/results.json keeps the others
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
CASES = ("capture", "plans", "dictionary")


def main(names: Iterable[str]) -> None:
    """Run cases and merge their rows into the results."""
    chosen = list(names) or list(CASES)
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    for name in chosen:
        for row in importlib.import_module(f"bench.{name}").measure():
            whole = complete(row, f"python -m bench.run {name}")
            kept = [other for other in kept if other["name"] != whole["name"]] + [whole]
            print_row(whole)
            RESULTS.write_text(json.dumps(sorted(kept, key=lambda r: r["name"]), indent=1) + "\n")


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
