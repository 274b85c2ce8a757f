"""Calibrate: scan clean controls of a base and freeze what was measured, so that later scans get error rates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from brainscan.clinic.environment import read_environment
from brainscan.clinic.examine import Attendant, Request, examine
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import RecordError, UsageError
from brainscan.diagnosis.calibration import Calibration, calibrate, write_calibration
from brainscan.scan.record import RECORD_FILE, Scan, read_scan

ENOUGH = 19
"""Controls that buy a smallest p-value of 0.05."""
_MADE = re.compile(r"(train|random):(\d+)")

Progress = Callable[[float, str], None]
QUIET = Attendant()


@dataclass(frozen=True)
class Calibrated:
    """A calibration and where it lies."""

    file: Path
    calibration: Calibration
    names: tuple[str, ...]


def calibrate_base(
    base: str,
    controls: str,
    out: Path,
    plan: str = "audit",
    alone: bool = False,
    attendant: Attendant = QUIET,
    progress: Progress = lambda fraction, what: None,
) -> Calibrated:
    """Scan every control against its base and write the calibration; finished scans are used again.

    Args:
        base: the subject that the controls were made from, as the command line names it.
        controls: a folder of adapters, model folders or finished scans; ``train:N`` plants the first N controls of the
            zoo's recipes on this base; ``random:N`` makes N adapters of random directions (bench/trial_cheap measures what
            those are worth).
        alone: scan without the reference, for calibrating scans that will have none.

    Raises:
        UsageError: there are no controls in the folder, or the word is none of these.
        RecordError: the controls' scans do not belong together.
    """
    scans: list[Scan] = []
    found = list(_controls(base, controls, progress))
    for done, control in enumerate(found):
        progress(0.5 + 0.5 * done / len(found), f"scanning {control.name}, {done + 1} of {len(found)}")
        if (control / RECORD_FILE).is_file():
            scans.append(_finished(control, base, plan, alone))
            continue
        spec = f"{base}+{control}" if (control / "adapter_config.json").is_file() else str(control)
        request = Request(spec, None if alone else base, plan=plan, command=f"brainscan calibrate {base}")
        scans.append(examine(replace(request, out=_place(control, plan, alone)), attendant).scan)
    made = calibrate(scans)
    write_calibration(out, made)
    progress(1.0, f"{len(scans)} controls")
    return Calibrated(out, made, tuple(scan.subject.name for scan in scans))


def _finished(folder: Path, base: str, plan: str, alone: bool) -> Scan:
    """A scan that is there already; it must be of the kind that was asked for."""
    scan = read_scan(folder)
    beside = scan.reference and scan.reference.weights_sha256
    if scan.plan.name != plan or beside != (None if alone else _weights(base)):
        what = "without a reference" if scan.reference is None else f"beside {scan.reference.name}"
        raise RecordError(
            f"{folder} is a scan under the plan {scan.plan.name} {what}, not what was asked for.",
            f"Give the base, --plan and --alone that it was made with, or name models in place of scans for {base}.",
        )
    return scan


@lru_cache(maxsize=1)
def _weights(base: str) -> str:
    """Hash of a base's weights: two bases may be called by one name."""
    return open_subject(base).card.weights_sha256


def _place(control: Path, plan: str, alone: bool) -> Path:
    return read_environment().cache / "calibration" / f"{control.parent.name}-{control.name}-{plan}{'-alone' * alone}"


def _controls(base: str, controls: str, progress: Progress) -> Iterator[Path]:
    """Folders of controls, made now if they have to be."""
    made = _MADE.fullmatch(controls)
    if made and int(made[2]):
        yield from (_trained if made[1] == "train" else _random)(base, int(made[2]), progress)
        return
    folder = Path(controls)
    inside = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    known = ("adapter_config.json", "config.json", RECORD_FILE)
    chosen = [path for path in inside if any((path / name).is_file() for name in known)]
    if not chosen:
        raise UsageError(
            f"{controls} holds no control: no folder in it is an adapter, a model or a scan.",
            "Name a folder of clean fine-tunes of the base, or train:19 to make them.",
        )
    yield from chosen


def _trained(base: str, count: int, progress: Progress) -> Iterator[Path]:
    """The first controls of the zoo, planted on this base."""
    from brainscan.games.answers import OwnAnswers
    from brainscan.games.plant import PLANT_FILE, plant
    from brainscan.games.zoo import entries

    wanted = [entry for entry in entries() if entry.role in ("calibration", "fresh") and entry.trained][:count]
    if len(wanted) < count:
        raise UsageError(f"There are recipes for {len(wanted)} controls, not {count}.", f"Ask for train:{len(wanted)}.")
    name = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', base)}-{_weights(base)[:12]}"
    home = read_environment().cache / "controls" / name
    for done, entry in enumerate(wanted):
        folder = home / entry.name
        share = 0.5 * done / count
        progress(share, f"planting {entry.name}, {done + 1} of {count}")
        if not (folder / PLANT_FILE).is_file():
            subject = open_subject(base)
            own = OwnAnswers(subject, home / "own-answers.json")
            plant(
                subject,
                entry.recipe,
                folder,
                lambda made: open_subject(f"{base}+{made}"),
                entry.knobs,
                own,
                lambda f, what, share=share: progress(share + 0.5 * f / count, what),
            )
        yield folder


def _random(base: str, count: int, progress: Progress) -> Iterator[Path]:
    """Adapters of random directions, each as long as the update of one trained control."""
    from brainscan.games.cheap import CONFIG_FILE, random_adapter

    like = next(_trained(base, 1, progress))
    for seed in range(count):
        folder = like.parent / f"random-{seed}"
        if not (folder / CONFIG_FILE).is_file():
            random_adapter(like, folder, seed)
        yield folder
