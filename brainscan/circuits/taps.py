"""Hooks that hand over live tensors, gradient graph and all, at the ports of the table of families.

``subject.edit`` changes values under no gradient; attribution has to cut and to replace inside the graph itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from brainscan.core.address import Site
from brainscan.subject.hooks import Port, hooked
from brainscan.subject.language import Batch, LanguageSubject


def is_matrix(module: nn.Module) -> bool:
    """A linear layer of torch, or transformers' Conv1D, which lies the other way."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def before(port: Port, change: Callable[[torch.Tensor], torch.Tensor | None]) -> Any:
    """A hook on what enters a module; ``change`` may return a replacement."""

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = args[0] if args else kwargs["hidden_states"]
        new = change(x)
        if new is None:
            return None
        return ((new, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": new})

    return port.module.register_forward_pre_hook(hook, with_kwargs=True)


def after(port: Port, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A hook on what a module returns."""

    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        x = output[port.item] if isinstance(output, tuple) else output
        return port.write(output, change(x).reshape(x.shape))

    return port.module.register_forward_hook(hook)


@dataclass(frozen=True)
class Reader:
    """A hook that only looks."""

    remove: Callable[[], None]


def reader(subject: LanguageSubject, batch: Batch, site: Site, keep: Callable[[torch.Tensor], None]) -> Reader:
    """Hand the live tensor of a site to ``keep`` in every pass, until removed."""
    stack = contextlib.ExitStack()
    collect = {site: lambda site, x: keep(x)}
    stack.enter_context(
        hooked(subject.body, subject.family, subject.n_heads, batch.layout(), collect=collect, edits=(), stop=False)
    )
    return Reader(stack.close)
