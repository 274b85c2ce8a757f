"""Clamp: hold one feature of a dictionary at a value, and leave what the dictionary does not explain alone.

Source: feature steering by clamping, Templeton et al. 2024, "Scaling Monosemanticity", section on steering: only the
difference that the feature makes is added, so that the dictionary's own error stays in the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, ClassVar, Self

import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.subject.edit import Edit, Layout
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind


@dataclass(frozen=True, eq=False)
class Clamp(Kind):
    """Holds ``feature`` at ``value``; the arrays are the dictionary's, so that the record is whole."""

    kind: ClassVar[str] = "clamp"
    permanent: ClassVar[bool] = False

    feature: int = 0
    value: float = 0.0
    """In the unit of the feature's codes; 0 switches it off."""
    shape: Mapping[str, Any] = field(default_factory=dict)
    """The dictionary's fields that are not arrays."""

    @classmethod
    def of(cls, dictionary: Dictionary, feature: int, value: float) -> Self:
        """Clamp one feature of a dictionary.

        Raises:
            UsageError: the dictionary does not write where it reads, or has no such feature.
        """
        if dictionary.reads != dictionary.writes or len(dictionary.reads) != 1:
            raise UsageError(
                "Only a dictionary that writes where it reads, at one site, can be clamped there.",
                "Choose an autoencoder, or edit what a transcoder writes.",
            )
        if not 0 <= feature < dictionary.n_features:
            raise UsageError(
                f"The dictionary has no feature {feature}.", f"Its features are 0 to {dictionary.n_features - 1}."
            )
        tensors = dictionary.tensors()
        shape = {
            part.name: list(value) if isinstance(value, tuple) else value
            for part in fields(dictionary)
            if part.name not in tensors
            for value in [getattr(dictionary, part.name)]
            if value is None or isinstance(value, str | int | float | bool | tuple)
        }
        return cls(tensors, 1.0, feature, value, shape)

    def dictionary(self) -> Dictionary:
        """The dictionary whose feature is held."""
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in self.shape.items()}
        arrays: dict[str, Any] = dict(self.vectors)
        return Dictionary(**given, **arrays)

    def changes(self, subject: LanguageSubject) -> Changes:
        """One edit at the dictionary's site.

        Raises:
            UsageError: the dictionary is of a subject of another width.
        """
        dictionary = self.dictionary()
        if dictionary.d_in != subject.d_model:
            raise UsageError(
                f"The dictionary reads {dictionary.d_in} dimensions and {subject.card.name} has {subject.d_model}.",
                "Use it on the model that it was trained on.",
            )
        change = partial(
            _clamped, dictionary=dictionary.to(subject.device), feature=self.feature, value=self.value, share=self.dose
        )
        return Changes(edits=(Edit.map(dictionary.reads[0], change),) if self.dose else ())

    def words(self) -> str:
        """What it does."""
        return f"feature {self.feature} of a dictionary at {self.shape.get('reads', ['?'])[0]} held at {self.value:g}"


def _clamped(
    x: torch.Tensor, layout: Layout, *, dictionary: Dictionary, feature: int, value: float, share: float
) -> torch.Tensor:
    rows = x.reshape(-1, x.shape[-1]).float()  # [token, d]
    with torch.no_grad():
        codes = dictionary.encode(rows)
    held = codes.clone()
    held[:, feature] += share * (value - codes[:, feature])
    moved = dictionary.decode(held, rows) - dictionary.decode(codes, rows)
    return x + moved.reshape(x.shape).to(x.dtype)
