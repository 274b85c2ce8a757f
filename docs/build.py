"""make docs: write what is generated (JSON schema, command reference, tables); --check compares instead.

A generated part of a page stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "docs/schema/brainscan.scan-1.json"
PAGES = (
    "README.md",
    "docs/commands.md",
    "docs/architecture.md",
    "docs/conditions.md",
    "docs/benchmarks.md",
    "docs/dictionaries.md",
    "docs/circuits.md",
    "docs/treatment.md",
    "docs/monitor.md",
    "docs/vision.md",
)
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def schema() -> str:
    """The published JSON Schema of ``--json``."""
    from brainscan.report.public import published_schema

    return json.dumps(published_schema(), indent=1, sort_keys=True) + "\n"


def commands() -> str:
    """Help of every verb, as typed by a user."""
    import typer
    from click import Context

    from brainscan.cli.app import app

    group = typer.main.get_command(app)
    parts = []
    for name, verb in sorted(group.commands.items()):  # type: ignore[attr-defined]
        inner = getattr(verb, "commands", None)
        for label, each in [(f"{name} {n}", v) for n, v in inner.items()] if inner else [(name, verb)]:
            usage = each.collect_usage_pieces(Context(each))
            text = [
                f"## brainscan {label}",
                "",
                f"    brainscan {label} {' '.join(usage)}",
                "",
                (each.help or "").strip(),
                "",
            ]
            text += [_option(p) for p in each.params if p.name != "help"]
            parts.append("\n".join(text))
    return "\n\n".join(parts) + "\n"


def _option(parameter: object) -> str:
    names, default = ", ".join(parameter.opts), parameter.default  # type: ignore[attr-defined]
    said = f"- `{names}` {getattr(parameter, 'help', '') or ''}".rstrip()
    plain = isinstance(default, str | int | float | Path) and not isinstance(default, bool) and str(default) != ""
    return f"{said} [default: {default}]" if plain and "[default" not in said else said


def numbers() -> str:
    """bench/results.json as a table."""
    rows = json.loads((ROOT / "bench/results.json").read_text())
    lines = ["| measure | value | target | command |", "|---|---:|---:|---|"]
    for row in rows:
        sign = "≥" if row["better"] == "higher" else "≤"
        target = "" if row["target"] is None else f"{sign} {row['target']} {row['unit']}"
        lines.append(f"| {row['name']} | {row['value']} {row['unit']} | {target} | `{row['command']}` |")
    return "\n".join(lines) + "\n"


def dictionaries() -> str:
    """docs/dictionaries.json as a table, with what was measured beside each number."""
    lines = ["| measure | found | target | | beside it | command |", "|---|---:|---:|---|---|---|"]
    for row in json.loads((ROOT / "docs/dictionaries.json").read_text()):
        met, target = "", ""
        if row["target"] is not None:
            higher = row["better"] == "higher"
            target = f"{'≥' if higher else '≤'} {row['target']:g}"
            met = (
                "met" if (row["value"] >= row["target"] if higher else row["value"] <= row["target"]) else "**missed**"
            )
        beside = ", ".join(_beside(name, value) for name, value in (row["peer"] or {}).items())
        found = f"{row['value']:g} {row['unit']}"
        lines.append(f"| {row['name']} | {found} | {target} | {met} | {beside} | `{row['command']}` |")
    return "\n".join(lines) + "\n"


def _beside(name: str, value: object) -> str:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return shown if name == "name" else f"{name.replace('_', ' ')} {shown}"


def treatment() -> str:
    """docs/treatment.json as a table of totals and a table of organisms."""
    path = ROOT / "docs/treatment.json"
    rows = json.loads(path.read_text()) if path.is_file() else []
    if not rows:
        return "Nothing has been run yet; `python -m bench.treatment` does.\n"
    lines = ["| measure | value | target | on |", "|---|---:|---:|---|"]
    for row in rows:
        if "before on" not in row["peer"]:
            sign = "≥" if row["better"] == "higher" else "≤"
            target = "" if row["target"] is None else f"{sign} {row['target']}"
            on = row["peer"].get("organisms", f"n = {row['n']}")
            lines.append(f"| {row['name']} | {row['value']:g} {row['unit']} | {target} | {on} |")
    lines += [
        "",
        "| organism, kind | shows before | under treatment | elsewhere | perplexity | capability | distance (reference's) | fate |",
    ]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---|")
    for row in rows:
        peer = row["peer"]
        if "before on" in peer:
            points = f"{100 * peer['capability'][0]:+.1f} points{_between(peer['capability'])}"
            name = row["name"].partition(", on-rate")[0] + (" (developed on)" if row.get("developed_on") else "")
            change = f"{100 * peer['perplexity'][0]:+.1f} %{_between(peer['perplexity'])}"
            back = peer["baselines"].get("reference")
            far = f"{peer['kl']:.2f}" + (f" ({back['kl']:.2f})" if back else "")
            lines.append(
                f"| {name} | {peer['before on']} | {peer['on']} | {peer['off']} | {change} | {points} | {far} | {peer['fate']} |"
            )
    return "\n".join(lines) + "\n"


def _between(change: list[float]) -> str:
    """The interval of a change, in hundredths."""
    return f" ({100 * change[1]:+.1f} to {100 * change[2]:+.1f})"


def monitor() -> str:
    """docs/monitor.json as a table."""
    path = ROOT / "docs/monitor.json"
    lines = ["| measure | value | n | interval | target | beside it | remark |", "|---|---:|---:|---|---|---|---|"]
    for row in json.loads(path.read_text()) if path.is_file() else []:
        sign = "≥" if row["better"] == "higher" else "≤"
        target = "" if row["target"] is None else f"{sign} {row['target']:g}"
        met = "" if row["target"] is None else (" met" if _meets(row) else " **missed**")
        between = row.get("interval")
        interval = f"{between['lo']:.3g} to {between['hi']:.3g}" if between else ""
        peer = row["peer"]
        beside = f"{peer['name']}: {peer['value']:.3g}" if peer else ""
        lines.append(
            f"| {row['name']} | {row['value']:.4g} {row['unit']} | {row.get('n', '')} | {interval} | {target}{met} "
            f"| {beside} | {row.get('detail', '')} |"
        )
    return "\n".join(lines) + "\n"


def _meets(row: dict[str, Any]) -> bool:
    return row["value"] >= row["target"] if row["better"] == "higher" else row["value"] <= row["target"]


def vision_numbers() -> str:
    """docs/vision.json as a table, with n, interval and control beside each value."""
    rows = json.loads((ROOT / "docs/vision.json").read_text())
    lines = ["| measure | found | target | n | control, or what was found |", "|---|---:|---:|---:|---|"]
    for row in rows:
        sign = "≥" if row["better"] == "higher" else "≤"
        target = "" if row["target"] is None else f"{sign} {row['target']}"
        missed = (
            row["target"] is not None and (row["value"] - row["target"]) * (1 if row["better"] == "higher" else -1) < 0
        )
        interval = f" [{row['interval'][0]:g}, {row['interval'][1]:g}]" if row.get("interval") else ""
        peer = f"{row['peer']['name']}: {row['peer']['value']}" if row.get("peer") else ""
        said = "; ".join(filter(None, (row.get("found", ""), row.get("control", ""), peer)))
        found = f"{row['value']:.4g} {row['unit']}{interval}{' (missed)' if missed else ''}"
        lines.append(f"| {row['name']} | {found} | {target} | {row.get('n', '')} | {said} |")
    return "\n".join(lines) + "\n"


def conditions() -> str:
    """Every condition with its criteria."""
    from brainscan.diagnosis.condition import CONDITIONS

    parts = []
    for name in CONDITIONS:
        condition = CONDITIONS.get(name)
        lines = [f"### {condition.title} (`{name}`)", "", condition.question, ""]
        lines += ["| measurement | smallest effect of interest | kind | role |", "|---|---:|---|---|"]
        lines += [
            f"| `{c.measurement}` | {c.threshold:g} | {c.kind} | {'decides' if c.leads else 'context'} |"
            for c in condition.criteria
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def tree() -> str:
    """The annotated tree: every file with the first line of its own docstring."""
    lines = ["```text"]
    for folder in sorted({path.parent for path in (ROOT / "brainscan").rglob("*.py")}):
        if "versions" in folder.parts:
            continue
        depth = "  " * (len(folder.relative_to(ROOT).parts) - 1)
        lines.append(f"{depth}{folder.name}/".ljust(34) + _first_line(folder / "__init__.py"))
        lines += [
            f"{depth}  {path.name}".ljust(34) + _first_line(path)
            for path in sorted(folder.glob("*.py"))
            if path.name != "__init__.py"
        ]
    return "\n".join([*lines, "```"]) + "\n"


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text())) if path.is_file() else ""
    return (text or "").partition("\n")[0]


def circuits() -> str:
    """docs/circuits.json as a table, what was compared with beside it."""
    rows = json.loads((ROOT / "docs/circuits.json").read_text())
    lines = ["| measure | value | n, interval | target | beside it | command |", "|---|---:|---|---:|---|---|"]
    for row in rows:
        sign = "≥" if row["better"] == "higher" else "≤"
        target = "" if row["target"] is None else f"{sign} {row['target']}{'' if _meets(row) else ' **missed**'}"
        low, high = row.get("interval", (None, None))
        n = f"{row['n']}" if "n" in row else ""
        n += f" of {row['clusters']} cities" if "clusters" in row else ""
        n += "" if low is None else f", {low:.2f} to {high:.2f}"
        peer = "" if row["peer"] is None else f"{row['peer']['name']}: {row['peer']['value']}"
        lines.append(
            f"| {row['name']} | {row['value']:g} {row['unit']} | {n} | {target} | {peer} | `{row['command']}` |"
        )
    return "\n".join(lines) + "\n"


GENERATORS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "numbers": numbers,
    "dictionaries": dictionaries,
    "circuits": circuits,
    "conditions": conditions,
    "treatment": treatment,
    "monitor": monitor,
    "vision": vision_numbers,
    "tree": tree,
}


def main(check: bool) -> int:
    """Write or compare every generated thing; 1 when something is out of date."""
    wanted = {SCHEMA: schema()}
    for name in PAGES:
        path = ROOT / name
        if path.is_file():
            wanted[path] = _PART.sub(lambda m: m[1] + GENERATORS[m[2]]() + m[3], path.read_text())
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is out of date; run make docs")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv))
