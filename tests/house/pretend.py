"""A pretended accelerator: finds code that mixes devices, on a machine that has none.

Inside ``Pretended()`` the device "cuda" exists in name: tensors made on it or moved to it lie in ordinary memory, say
that they are on it, and may meet only tensors that say the same. What a GPU refuses is refused here: operations across
devices, ``numpy()``, a generator of another device. What it allows is allowed: single numbers, indices and copies from
the CPU. Gradients that autograd hands out say nothing and may meet anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
_MAY_CROSS = {"copy_", "to", "cpu", "type_as", "__get__", "__set__"}
_TAKE_INDICES = {"__getitem__", "__setitem__", "index_put", "index_put_"}
_MAKERS = {
    "arange", "as_tensor", "empty", "eye", "from_numpy", "frombuffer", "full", "linspace", "ones", "rand", "randint",
    "randn", "randperm", "tensor", "zeros",
}  # fmt: skip


class MixedDevicesError(AssertionError):
    """What a GPU would have refused."""


class Pretended(TorchFunctionMode):
    """While it is entered, "cuda" is a device."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func == torch.Tensor.device.__get__:
            return _place(args[0]) or CPU
        if func == torch.Tensor.is_cuda.__get__:
            return _place(args[0]) == CUDA
        name = getattr(func, "__name__", "")
        if name in ("numpy", "__array__") and _place(args[0]) == CUDA:
            raise MixedDevicesError("numpy() of a tensor on the accelerator")
        wanted, args, named = _without_device(name, args, dict(kwargs or {}))
        if wanted == CUDA and named.get("generator") is not None:
            raise MixedDevicesError(f"{name} on the accelerator with a generator of the CPU")
        tensors = list(_tensors((args, named)))
        place = wanted or (CPU if name == "cpu" else _meeting_place(name, args, tensors))
        if place is None and name in _MAKERS:
            place = CPU
        out = func(*args, **named)
        if place is None:
            return out
        if isinstance(out, torch.Tensor) and any(out is each for each in tensors) and _place(out) != place:
            out = out.view_as(out)  # a move that moved nothing: the original stays where it was
        for each in _tensors(out):
            each.pretended = place
        return out


def on_cuda(module: torch.nn.Module) -> torch.nn.Module:
    """Say of all weights and buffers that they are on the accelerator."""
    for each in (*module.parameters(), *module.buffers()):
        each.pretended = CUDA
    return module


def _place(tensor: torch.Tensor) -> torch.device | None:
    return tensor.__dict__.get("pretended")


def _meeting_place(name: str, args: Sequence[Any], tensors: Sequence[torch.Tensor]) -> torch.device | None:
    """Where the operands are; None where none of them says."""
    if name in _TAKE_INDICES:
        first = _place(args[0])
        if first == CPU and any(_place(each) == CUDA for each in _tensors(args[1])):
            raise MixedDevicesError(f"{name}: indices on the accelerator into a tensor on the CPU")
        values = [each for each in _tensors(args[2:]) if each.dim()]  # plain slices are copied into, which may cross
        if first and any(_place(each) not in (None, first) for each in values) and list(_tensors(args[1])):
            raise MixedDevicesError(f"{name}: values of another device at indices")
        return first
    places = {_place(each) for each in tensors if each.dim()} - {None}
    if len(places) > 1 and name not in _MAY_CROSS:
        raise MixedDevicesError(f"{name} of {[(tuple(each.shape), str(_place(each))) for each in tensors]}")
    if name in _MAY_CROSS and tensors:
        return _place(tensors[0])
    return next(iter(places), None) or next((place for each in tensors if (place := _place(each))), None)


def _without_device(
    name: str, args: Sequence[Any], named: dict[str, Any]
) -> tuple[torch.device | None, Sequence[Any], dict[str, Any]]:
    """The device that a call asks for, and the call on the CPU."""
    wanted = None
    if named.get("device") is not None:
        wanted = torch.device(named["device"])
        named = {**named, "device": CPU}
    if name in ("to", "type_as"):
        for each in args[1:]:
            if isinstance(each, (str, torch.device)):
                wanted = torch.device(each)
            elif isinstance(each, torch.Tensor):
                wanted = _place(each)
        args = [CPU if isinstance(each, (str, torch.device)) else each for each in args]
    return wanted, args, named


def _tensors(values: object) -> Iterator[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, Mapping):
        yield from _tensors(list(values.values()))
    elif isinstance(values, (list, tuple)):
        for each in values:
            yield from _tensors(each)
