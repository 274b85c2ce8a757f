"""Wall time and peak memory of the quick and standard plans on SmolLM2, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MINUTES = {"quick": 4, "standard": 15}
_CHILD = """
import json, resource, sys, time
from pathlib import Path
from brainscan.clinic.examine import Request, examine
start = time.perf_counter()
done = examine(Request("smollm2-135m-instruct", plan=sys.argv[1], out=Path(sys.argv[2]), fresh=True))
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "weights": 4 * done.scan.subject.n_parameters,
    "planned": done.scan.plan.estimated_seconds,
}))
"""


def measure() -> Iterator[dict[str, Any]]:
    """Yield minutes and peak memory of each plan."""
    for plan, minutes in MINUTES.items():
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "scan"
            done = subprocess.run(
                [sys.executable, "-c", _CHILD, plan, str(out)], capture_output=True, text=True, check=True
            )
        found = json.loads(done.stdout.splitlines()[-1])
        allowed = 1.5 * found["weights"] + 1e9
        yield {
            "name": f"{plan} plan, minutes on two cores",
            "value": round(found["seconds"] / 60, 2),
            "unit": "min",
            "target": minutes,
            "better": "lower",
            "peer": {"name": "its own estimate", "minutes": round(found["planned"] / 60, 2)},
        }
        yield {
            "name": f"{plan} plan, peak memory over (1.5 x weights + 1 GB)",
            "value": round(found["peak"] / allowed, 3),
            "unit": "x",
            "target": 1.0,
            "better": "lower",
            "peer": {"name": "bytes", "peak": found["peak"], "allowed": round(allowed)},
        }
