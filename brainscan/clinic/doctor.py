"""The verb doctor: what this machine has, what will work on it, and what to install if something will not.

It works where torch is not installed: versions come from the packages' metadata, and torch itself
is tried in a process of its own, so that a broken build is found and not met.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainscan.clinic.environment import Environment, read_environment
from brainscan.clinic.machine import GIB, count_cores, free_disk, free_memory, nearest_existing, total_memory
from brainscan.core.errors import BrainscanError
from brainscan.core.evidence import Record
from brainscan.core.visible import visible
from brainscan.subject.cached import cached_classifiers, cached_models

TORCH = "pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
_SCAN_MEMORY = 2 * GIB
_CACHE_DISK = 2 * GIB
_TORCH_SECONDS = 120
_TORCH_SCRIPT = (
    "import json, torch; gpu = torch.cuda.is_available();"
    "print(json.dumps([torch.__version__, torch.version.cuda, torch.cuda.get_device_name(0) if gpu else None]))"
)


class DoctorLine(Record):
    """One thing looked at."""

    family: str
    """Name of the family of features that needs it."""
    item: str
    status: Literal["ok", "missing", "warning"]
    """missing: the family will not work; warning: it will, with the reservation in ``advice``."""
    found: str
    advice: str = ""
    """What to do; empty when there is nothing to do."""


class FamilyLine(Record):
    """Whether one family of features will work here."""

    family: str
    title: str
    works: bool
    advice: str = ""
    """What to install or change first; empty when it works."""


@dataclass(frozen=True)
class Family:
    """A family of features and the packages that it needs."""

    title: str
    packages: tuple[str, ...]
    advice: str
    """How to get its packages."""
    needs: tuple[str, ...] = ()
    """Other families without which this one does not work."""


_REINSTALL = "pip install --upgrade brainscan"

FAMILIES: dict[str, Family] = {
    "machine": Family("This machine", (), ""),
    "store": Family("List and find stored scans", ("sqlalchemy", "alembic"), _REINSTALL, ("machine",)),
    "reports": Family(
        "Show, compare, gate and render finished scans",
        ("pydantic", "numpy", "scipy", "safetensors", "rich", "typer", "jinja2"),
        _REINSTALL,
        ("machine",),
    ),
    "scan": Family(
        "Scan a model", ("torch", "transformers", "tokenizers", "scikit-learn"), _REINSTALL, ("machine", "reports")
    ),
    "gguf": Family("Scan GGUF files and the packaged models", ("gguf", "accelerate"), _REINSTALL, ("scan",)),
    "adapters": Family("Scan a base with a LoRA adapter, plant organisms", ("peft",), _REINSTALL, ("scan",)),
    "vision": Family("Scan image classifiers", ("pillow",), "pip install 'brainscan[vision]'", ("scan",)),
    "serve": Family(
        "Serve a model behind monitors",
        ("fastapi", "uvicorn", "prometheus-client"),
        "pip install 'brainscan[serve]'",
        ("scan",),
    ),
}
"""Every family, in the order in which they are printed; a family stands after those that it needs."""

FindVersion = Callable[[str], str | None]


def examine_machine(
    environment: Environment | None = None,
    find_version: FindVersion | None = None,
    try_torch: Callable[[], DoctorLine] | None = None,
) -> list[DoctorLine]:
    """Look at everything that a feature needs, one line a thing, in the order of the families.

    Args:
        environment: read from the process by default.
        find_version: version of an installed package, None when it is not there; by default from its metadata.
        try_torch: imports torch elsewhere and says what came of it; by default in a process of its own.
    """
    environment = environment or read_environment()
    find_version = find_version or _installed_version
    lines = [*_look_at_machine(environment), _look_at_store(environment), *_look_at_models(environment)]
    for name, family in FAMILIES.items():
        lines.extend(_look_at_package(name, family, package, find_version) for package in family.packages)
    if find_version("torch") is not None:
        lines = [line for line in lines if line.item != "torch"] + [(try_torch or try_torch_elsewhere)()]
    order = list(FAMILIES)
    return sorted(lines, key=lambda line: order.index(line.family))


def judge_families(lines: Sequence[DoctorLine]) -> list[FamilyLine]:
    """Which families will work, given what was found; one that needs a broken one is broken with it."""
    judged: dict[str, FamilyLine] = {}
    for name, family in FAMILIES.items():
        broken = [line.advice for line in lines if line.family == name and line.status == "missing"]
        broken += [judged[need].advice for need in family.needs if not judged[need].works]
        advice = "; ".join(dict.fromkeys(broken))
        judged[name] = FamilyLine(family=name, title=family.title, works=not broken, advice=advice)
    return list(judged.values())


def try_torch_elsewhere() -> DoctorLine:
    """Import torch in a process of its own and say which build it is."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TORCH_SCRIPT], capture_output=True, text=True, timeout=_TORCH_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return DoctorLine(family="scan", item="torch", status="missing", found=_last_line(str(error)), advice=TORCH)
    if done.returncode != 0:
        found = f"installed, but it does not start: {_last_line(done.stderr)}"
        return DoctorLine(family="scan", item="torch", status="missing", found=found, advice=TORCH)
    version, cuda, gpu = json.loads(done.stdout.splitlines()[-1])
    if gpu:
        return DoctorLine(family="scan", item="torch", status="ok", found=f"{version}, CUDA {cuda}, {visible(gpu)}")
    if Path("/dev/nvidia0").exists():
        advice = "This machine has an NVIDIA GPU that torch does not use; install a CUDA build of torch to use it."
        return DoctorLine(family="scan", item="torch", status="warning", found=f"{version}, no GPU", advice=advice)
    build = "CPU build" if cuda is None else f"CUDA {cuda} build without a GPU"
    return DoctorLine(family="scan", item="torch", status="ok", found=f"{version}, {build}")


def _look_at_machine(environment: Environment) -> Iterator[DoctorLine]:
    python = sys.version_info >= (3, 11)
    yield _line("python", platform.python_version(), python, "Install Python 3.11 or newer.", needed=True)
    cores = count_cores()
    yield _line("cores", str(cores), cores >= 2, "A scan on one core takes about twice as long.")
    free, total = free_memory(), total_memory()
    usable = min((size for size in (free, total) if size is not None), default=None)
    found = f"{_gib(free)} free of {_gib(total)}"
    yield _line(
        "memory", found, usable is None or usable >= _SCAN_MEMORY, "A 135M model needs 2 GiB; a larger one more."
    )
    disk = free_disk(environment.cache)
    advice = "A packaged model needs 2 GiB; free some space or set BRAINSCAN_CACHE."
    yield _line("disk", f"{_gib(disk)} free at {environment.cache}", disk is None or disk >= _CACHE_DISK, advice)
    writable = os.access(nearest_existing(environment.cache), os.W_OK)
    advice = "Set BRAINSCAN_CACHE to a folder that you may write to."
    yield _line("cache", str(environment.cache), writable, advice, needed=True)


def _look_at_store(environment: Environment) -> DoctorLine:
    try:
        from brainscan.store.database import open_store  # here, because the doctor must speak where it is missing

        with open_store(environment.store) as store:
            return DoctorLine(family="store", item="database", status="ok", found=visible(store.where, keep=""))
    except BrainscanError as error:
        return DoctorLine(family="store", item="database", status="missing", found=error.cause, advice=error.next_step)
    except ImportError as error:
        found = f"cannot be tried: {_last_line(str(error))}"
        return DoctorLine(family="store", item="database", status="missing", found=found, advice=_REINSTALL)


def _look_at_models(environment: Environment) -> Iterator[DoctorLine]:
    if classifiers := cached_classifiers(environment.cache):
        found = visible(", ".join(classifiers), keep="")
        yield DoctorLine(family="vision", item="classifiers in the cache", status="ok", found=found)
    names = [visible(name, keep="") for name in cached_models(environment.cache)]
    if names:
        yield DoctorLine(family="gguf", item="models in the cache", status="ok", found=", ".join(names))
    else:
        advice = "Fetch one with: brainscan models pull smollm2-135m-instruct"
        yield DoctorLine(family="gguf", item="models in the cache", status="warning", found="none", advice=advice)
    where = f"{environment.hub_cache}{'' if environment.hub_cache.is_dir() else ' (not made yet)'}"
    yield DoctorLine(family="scan", item="hub cache", status="ok", found=visible(where, keep=""))
    if environment.offline:
        advice = "Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to let models be downloaded."
        yield DoctorLine(family="scan", item="network", status="warning", found="switched off", advice=advice)


def _look_at_package(name: str, family: Family, package: str, find_version: FindVersion) -> DoctorLine:
    version = find_version(package)
    if version is None:
        advice = TORCH if package == "torch" else family.advice
        return DoctorLine(family=name, item=package, status="missing", found="not installed", advice=advice)
    if package == "transformers" and not (4, 57) <= _major_minor(version) < (6, 0):
        advice = "pip install 'transformers>=4.57,<6'"
        return DoctorLine(family=name, item=package, status="missing", found=visible(version), advice=advice)
    return DoctorLine(family=name, item=package, status="ok", found=visible(version))


def _line(item: str, found: str, good: bool, advice: str, *, needed: bool = False) -> DoctorLine:
    status = "ok" if good else "missing" if needed else "warning"
    found = visible(found, keep="")
    return DoctorLine(family="machine", item=item, status=status, found=found, advice="" if good else advice)


def _installed_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _major_minor(version: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _gib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / GIB:.1f} GiB"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return visible(lines[-1], keep="", limit=200) if lines else "it said nothing"
