"""Sealing the truth: red publishes a commitment before blue begins, and opens it when blue has answered.

A commitment is the SHA-256 of the truth in canonical JSON, a salt of 256 random bits included, so that
it can neither be changed afterwards nor guessed by trying out truths. No torch here.
"""

from __future__ import annotations

import hmac
import secrets

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_json
from brainscan.games.knobs import Knobs

CLEAN = "clean"
"""Kind of a model that nothing was planted in."""


class Truth(Record):
    """What red knows of one model: opened when blue has answered."""

    kind: str
    """Name of a class, ``clean``, or the name of a kind outside the classes (an unknown)."""
    flaw: bool
    recipe: str
    """What was planted, or which kind of control it is."""
    slot: str = ""
    values: tuple[str, ...] = ()
    """What blue has to name; each of them is right."""
    knobs: Knobs = Knobs()
    layers: tuple[int, int] | None = None
    """First and last layer that was changed, inclusive; None when no band is known."""
    weights_sha256: str = ""
    """Of the weights as dealt, so that the model cannot be swapped either."""
    salt: str = ""


class Sealed(Record):
    """What is published before blue begins."""

    commitment: str
    """64 hex digits."""


def salted(truth: Truth) -> Truth:
    """The truth with a fresh salt of 256 bits."""
    return truth.model_copy(update={"salt": secrets.token_hex(32)})


def seal(truth: Truth) -> Sealed:
    """The commitment to a salted truth.

    Raises:
        RecordError: it has no salt, so its commitment could be guessed.
    """
    if len(truth.salt) < 32:
        raise RecordError("A truth without a salt cannot be sealed.", "Salt it first with brainscan.games.seal.salted.")
    return Sealed(commitment=sha256_of_json(truth.model_dump(mode="json")))


def verify(sealed: Sealed, truth: Truth) -> None:
    """Check that an opened truth is the one that was committed to.

    Raises:
        RecordError: it is not.
    """
    if not hmac.compare_digest(sealed.commitment, seal(truth).commitment):
        raise RecordError(
            f"A truth ({truth.recipe}) does not match the commitment that was published before the game.",
            "Red changed its mind, or the file is damaged: this game cannot be judged.",
        )
