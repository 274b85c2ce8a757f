"""Subject beside reference: what two models must share before their difference means anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainscan.core.errors import PlanError

if TYPE_CHECKING:
    from brainscan.scan.instrument import Examination
    from brainscan.subject.language import LanguageSubject

NEUTRAL_FRAMES = 42
"""``NEUTRAL_TEXTS[i]`` and ``NEUTRAL_TEXTS[i + 42]`` fill the same frame: the cluster of an interval by template."""


def reference_of(examination: Examination) -> LanguageSubject:
    """The reference to compare with.

    Raises:
        PlanError: there is none.
    """
    if examination.reference is None:
        raise PlanError(
            f"The instrument {examination.step.instrument} compares two models and no reference was given.",
            "Name the model that this one was made from with --reference.",
        )
    return examination.reference


def shared_vocabulary(subject: LanguageSubject, reference: LanguageSubject) -> int:
    """How many leading columns of the logits mean the same token in both.

    Extra tokens at the end (a padding token added by a fine-tune) and padded rows of the output
    matrix are left out of the comparison.

    Raises:
        PlanError: a token has another id in the other model, so logits cannot be compared.
    """
    width = min(subject.unembedding.shape[0], reference.unembedding.shape[0])
    ours, theirs = subject.tokenizer.get_vocab(), reference.tokenizer.get_vocab()
    if {t: i for t, i in ours.items() if i < width and t in theirs} != {
        t: i for t, i in theirs.items() if i < width and t in ours
    } or not ours.keys() & theirs.keys():
        raise PlanError(
            f"{subject.card.name} and {reference.card.name} number their tokens differently, so what they predict "
            "cannot be compared token by token.",
            "Give the reference that the subject was fine-tuned from.",
        )
    return min(width, 1 + min(max(ours.values()), max(theirs.values())))


def same_shape(subject: LanguageSubject, reference: LanguageSubject) -> None:
    """Nothing, if activations of the two can be subtracted.

    Raises:
        PlanError: they differ in depth or width.
    """
    ours, theirs = (subject.n_layers, subject.d_model), (reference.n_layers, reference.d_model)
    if ours != theirs:
        raise PlanError(
            f"{subject.card.name} has {ours[0]} layers of width {ours[1]} and {reference.card.name} has "
            f"{theirs[0]} of width {theirs[1]}, so their insides cannot be subtracted.",
            "Give the reference that the subject was fine-tuned from.",
        )
