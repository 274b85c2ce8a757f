"""A finished circuit opens, renders, compares and exports where torch is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from brainscan.circuits.graph import write_graph
from tests.circuits.small import graph

_CODE = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('torch', 'transformers'):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoTorch())
from pathlib import Path
import brainscan.cli.circuit
from brainscan.clinic import circuit
from brainscan.report.circuit import circuit_html
here = Path(sys.argv[1])
found = circuit.open_circuit(here / "a.json")
circuit.deliver_circuit(found, html=here / "a.html", svg=here / "a.svg")
circuit.export_circuit(here / "a.json", here / "out", "hello", None)
print(circuit.diff_circuits(here / "a.json", here / "out" / "hello.json").shared)
"""


def test_reading_a_circuit_needs_no_torch(tmp_path: Path) -> None:
    write_graph(tmp_path / "a.json", graph())
    done = subprocess.run(
        [sys.executable, "-c", _CODE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
    assert (tmp_path / "a.html").stat().st_size > 10_000
