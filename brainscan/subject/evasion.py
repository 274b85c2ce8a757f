"""Hide a fine-tune from whoever looks at the mean of its activations: a penalty while it is trained.

The penalty is the squared length of the mean change of the stream, over the tokens of a batch, as a share of
the stream's own squared length, averaged over layers. It is what activation-difference readers (Minder et al.
2025, "Narrow finetuning leaves clearly readable traces") rely on; red teams turn it on to be fair to blue.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch

from brainscan.subject.language import LanguageSubject


class StreamPenalty:
    """Compares the streams of a pass with those of the same pass without the adapter."""

    def __init__(self, subject: LanguageSubject, layers: Sequence[int]) -> None:
        blocks = subject.body.get_submodule(subject.family.layers)
        self._blocks = [blocks[layer] for layer in layers]  # type: ignore[index]

    def of(
        self, run: Callable[[], torch.Tensor], plain: Callable[[], torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(what ``run`` returned, the penalty: 0 is unchanged, 1 as long as the stream itself).

        Args:
            run: the pass that is trained.
            plain: the same pass with the adapter off.
        """
        with torch.no_grad(), self._watched() as before:
            plain()
        with self._watched() as after:
            result = run()
        moved = [
            (ours - theirs).mean((0, 1)).square().sum() / theirs.square().sum(-1).mean()
            for ours, theirs in zip(after, before, strict=True)
        ]
        return result, torch.stack(moved).mean()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[list[torch.Tensor]]:
        streams: list[torch.Tensor] = []  # [batch, pos, d_model] a layer

        def keep(module: torch.nn.Module, args: object, out: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
            streams.append(out[0] if isinstance(out, tuple) else out)

        handles = [block.register_forward_hook(keep) for block in self._blocks]
        try:
            yield streams
        finally:
            for handle in handles:
                handle.remove()
