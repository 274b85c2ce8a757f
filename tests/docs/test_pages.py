"""Docs are tests: their Python runs, their commands exist, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from pydantic import TypeAdapter

from brainscan.cli.app import app
from brainscan.clinic.monitor import RuleFile
from brainscan.diagnosis.condition import CONDITIONS
from brainscan.monitor.reader import KINDS
from brainscan.scan.instrument import INSTRUMENTS
from brainscan.subject.families import FAMILIES
from docs import build

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
VERBS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.name)
def test_the_python_in_a_page_runs(page: Path) -> None:
    before = {registry: dict(registry._loaded) for registry in (INSTRUMENTS, CONDITIONS)}
    names: dict[str, object] = {"__name__": "page"}
    try:
        for block in blocks(page):
            exec(compile(block, page.name, "exec"), names)
    finally:
        for registry, loaded in before.items():
            registry._loaded.clear()
            registry._loaded.update(loaded)
    assert len(names) > 2


BACKSLASH = "\\"


def commands(page: Path) -> list[list[str]]:
    """Every command of a page as words; a quoted prompt, or a backslash, goes on over the next lines."""
    lines = page.read_text().splitlines()
    found = []
    for i, line in enumerate(lines):
        if begun := re.match(r"(?:    |.*`)(brainscan [a-z][^`]*)", line):
            command, after = begun[1], i + 1
            while (command.count('"') % 2 or command.endswith(BACKSLASH)) and after < len(lines):
                command, after = f"{command.rstrip(BACKSLASH)}\n{lines[after].strip()}", after + 1
            found.append(shlex.split(command, comments=True))
    return found


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: p.name)
def test_the_commands_in_a_page_exist(page: Path) -> None:
    for words in commands(page):
        verb = VERBS.get(words[1].rstrip(",.;:"))
        assert verb is not None, words
        known = {option for parameter in verb.params for option in parameter.opts}
        for word in words[2:]:
            if word.startswith("--"):
                assert word in known or hasattr(verb, "commands"), f"{words[1]} has no option {word}"


EACH = {name: verb for name, verb in VERBS.items() if not hasattr(verb, "commands")}
EACH |= {f"{name} {n}": v for name, verb in VERBS.items() if name not in EACH for n, v in verb.commands.items()}


@pytest.mark.parametrize("name", EACH)
def test_every_verb_has_an_example_and_json(name: str) -> None:
    parameters = EACH[name].params
    assert "Example: " in (EACH[name].help or "") and f"brainscan {name}" in (EACH[name].help or "")
    assert "--json" in {option for parameter in parameters for option in parameter.opts}
    for parameter in parameters:  # help is Markdown, which eats what looks like a tag
        assert not re.search(r"<\w", getattr(parameter, "help", None) or ""), parameter.opts


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    words = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#:]+)\)", words):
        assert (page.parent / target).exists(), target


def test_what_is_generated_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(check=True) == 0, capsys.readouterr().out


def test_the_page_of_commands_names_every_variable_that_is_read() -> None:
    source, page = (ROOT / "brainscan/clinic/environment.py").read_text(), (ROOT / "docs/commands.md").read_text()
    read = set(re.findall(r'"([A-Z]+_[A-Z_]+)"', source))
    assert "BRAINSCAN_CACHE" in read and all(f"`{name}`" in page for name in read)


def test_the_page_of_commands_says_defaults_once() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert "- `--plan` " in page and "[default: quick]" in page
    assert not re.search(r"\[default.*\[default", page)


def test_the_rules_of_the_monitors_page_are_a_rules_file_with_every_kind_of_example() -> None:
    block = re.search(r"^```json\n(.*?)^```", (ROOT / "docs/monitor.md").read_text(), re.DOTALL | re.MULTILINE)
    rules = TypeAdapter(list[RuleFile]).validate_json(block[1] if block else "")
    assert [each.rule.kind for each in rules] == ["distance", "probe", "phrase", "feature"]
    assert {each.rule.kind for each in rules} | {"certainty"} == set(KINDS.names())
    assert rules[2].rule.phrases and (rules[3].dictionary, rules[3].feature) == ("my-dictionary", 1234)


def test_the_readme_counts_the_families_as_the_table_does() -> None:
    rows, architectures = len(FAMILIES), sum(len(family.model_types) for family in FAMILIES)
    assert f"A table of {rows} rows covers {architectures} architectures" in (ROOT / "README.md").read_text()


def test_the_changelog_knows_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version and f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
