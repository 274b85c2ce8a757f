"""Monitors measured: false alarms, recall, attacks, overhead, the error bound, the server under load.

python -m bench.monitor watch [ORGANISM]    fit, 1,000 fresh clean prompts, triggers, jailbreaks (backdoor-s1)
python -m bench.monitor informed [ORGANISM] the same with the words that the trial's scan of it found
python -m bench.monitor attack [ORGANISM]   the adaptive red team
python -m bench.monitor overhead            tokens a second with three monitors over without, on SmolLM2
python -m bench.monitor bound               error bound over 200 splits (needs bench.monitor_data)
python -m bench.monitor load [SECONDS]      64 streaming clients and worse, over a phantom
python -m bench.monitor clients             the official openai client and Vercel's AI SDK, unchanged

Rows go into docs/monitor.json; each command replaces its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from bench.run import complete, print_row

RESULTS = Path(__file__).parents[1] / "docs/monitor.json"
_WHERE = {
    "watch": "monitor_watch",
    "informed": "monitor_watch",
    "attack": "monitor_watch",
    "overhead": "monitor_overhead",
    "bound": "monitor_bound",
    "load": "monitor_load",
    "clients": "monitor_clients",
}


def main(name: str, arguments: list[str]) -> None:
    """Run one measurement and put its rows in the place of its old ones."""
    rows = getattr(importlib.import_module(f"bench.{_WHERE[name]}"), name)(*arguments)
    command = f"python -m bench.monitor {' '.join([name, *arguments])}"
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    kept = [row for row in kept if not row["command"].startswith(f"python -m bench.monitor {name}")]
    whole = [complete(row, command) for row in rows]
    for row in whole:
        print_row(row)
    RESULTS.write_text(json.dumps(sorted([*kept, *whole], key=lambda r: r["name"]), indent=1) + "\n")


def row(name: str, value: float, unit: str, better: str, target: float | None = None, **more: Any) -> dict[str, Any]:
    """One row, before it is completed."""
    return {"name": name, "value": value, "unit": unit, "target": target, "better": better, **more}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
