"""Which device and number format a subject runs in, and why."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from brainscan.core.errors import UsageError

DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class DeviceChoice:
    """A device, a number format and one sentence that says why."""

    name: str
    """As torch spells it: "cpu", "cuda", "cuda:1", "mps"."""
    dtype: torch.dtype
    reason: str


def choose_device(asked: str | None = None, dtype: str = "float32") -> DeviceChoice:
    """The device asked for, or the fastest one that is there: cuda, then mps, then cpu.

    Args:
        asked: "cpu", "cuda", "cuda:N", "mps", or None to choose.
        dtype: "float32", or "bfloat16" on cuda only: its coarse numbers blur what a scan measures.

    Raises:
        UsageError: no such device here, or a number format that it is not used with.
    """
    name, reason = _best() if asked in (None, "auto") else (_present(str(asked)), "asked for")
    if dtype not in DTYPES or (dtype == "bfloat16" and not name.startswith("cuda")):
        raise UsageError(f"The number format {dtype!r} cannot be used on {name}.", "Use float32, or bfloat16 on cuda.")
    return DeviceChoice(name, DTYPES[dtype], reason)


def _best() -> tuple[str, str]:
    if torch.cuda.is_available():
        return "cuda", "a CUDA device is present"
    if torch.backends.mps.is_available():
        return "mps", "Apple's Metal is present and CUDA is not"
    return "cpu", "neither CUDA nor Metal is present"


def _present(asked: str) -> str:
    kind, _, number = asked.partition(":")
    there = {
        "cpu": not number,
        "mps": not number and torch.backends.mps.is_available(),
        "cuda": torch.cuda.is_available() and (not number or _is_cuda_number(number)),
    }
    if not there.get(kind, False):
        raise UsageError(
            f"The device {asked!r} is not here.", f"Leave the choice to brainscan ({_best()[0]}), or ask for cpu."
        )
    return asked


def _is_cuda_number(number: str) -> bool:
    return number.isdecimal() and int(number) < torch.cuda.device_count()
