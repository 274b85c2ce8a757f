"""What this machine has: cores, memory, free disk. Limits of a container count as the machine's own."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

GIB = 1 << 30

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def count_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def total_memory() -> int | None:
    """Bytes of memory that this process may use at most; None where the system does not say."""
    limits = [limit for path in _CGROUP_LIMITS if (limit := _number_in(path)) is not None]
    with contextlib.suppress(AttributeError, ValueError, OSError):  # not on every system
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits, default=None)


def free_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that can be taken now without swapping; None where the system does not say."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and rest.split()[:1] and rest.split()[0].isdigit():
            return int(rest.split()[0]) * 1024
    return None


def free_disk(folder: Path) -> int | None:
    """Bytes free where this folder is or would be made; None where that cannot be asked."""
    try:
        return shutil.disk_usage(nearest_existing(folder)).free
    except OSError:
        return None


def nearest_existing(folder: Path) -> Path:
    """The folder itself, or the first of its parents that exists."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


def _number_in(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
