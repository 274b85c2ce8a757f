"""The one door to every format: sniff and read, or write by name."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from brainscan.core.errors import RecordError, UsageError
from brainscan.core.registry import Registry
from brainscan.dictionary.dictionary import Dictionary, DictionarySet

AnyDictionary = Dictionary | DictionarySet

FORMATS: Registry[Format] = Registry(
    "a format",
    "brainscan.formats",
    {
        "brainscan": "brainscan.dictionary.formats.native:FORMAT",
        "saelens": "brainscan.dictionary.formats.saelens:FORMAT",
        "sparsify": "brainscan.dictionary.formats.sparsify:FORMAT",
        "dictionary-learning": "brainscan.dictionary.formats.dictionary_learning:FORMAT",
        "gemma-scope": "brainscan.dictionary.formats.gemma_scope:FORMAT",
        "circuit-tracer": "brainscan.dictionary.formats.circuit_tracer:FORMAT",
    },
)
"""Name -> import path, in the order in which a path is sniffed."""


class Format(Protocol):
    """One layout of files."""

    name: str
    title: str
    """A few words: what it is the layout of."""
    writes: bool
    """Whether ``write`` works."""

    def recognises(self, path: Path) -> bool:
        """Whether the path looks like this layout, by names alone; nothing large is read."""
        ...

    def read(self, path: Path) -> AnyDictionary:
        """Read it, float32 on the CPU.

        Raises:
            RecordError: broken. UnsafeSubject: reading it could run code. UsageError: shapes disagree.
        """
        ...

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Write a folder, whole or not at all.

        Raises:
            UsageError: this layout cannot say what the dictionary does. StorageError: the disk refused.
        """
        ...


def sniff(path: Path) -> Format:
    """The format of a path.

    Raises:
        RecordError: none recognises it, or nothing is there.
    """
    for name in FORMATS.names() if path.exists() else ():
        if (found := FORMATS.get(name)).recognises(path):
            return found
    cause = f"{path} is not a dictionary in a known format." if path.exists() else f"There is nothing at {path}."
    raise RecordError(cause, f"Known are {', '.join(FORMATS.names())}; name the folder that holds the config.")


def read_dictionary(path: Path | str, format: str | None = None) -> AnyDictionary:
    """Read a dictionary, its format sniffed unless named.

    Raises:
        RecordError: broken, foreign or not there. UnsafeSubject: reading it could run code.
        PlanError: no such format.
    """
    path = Path(path)
    chosen = FORMATS.get(format) if format else sniff(path)
    try:
        return chosen.read(path)
    except UsageError as error:  # a shape that disagrees is the file's fault here
        raise RecordError(f"{path} is not a sound {chosen.title}: {error.cause}", error.next_step) from error
    except (IndexError, RuntimeError) as error:  # a vector where a matrix should be, turned or cut as a matrix is
        raise RecordError(f"{path} holds a tensor of the wrong shape.", "Copy or download it again.") from error


def write_dictionary(dictionary: AnyDictionary, path: Path | str, format: str = "brainscan") -> None:
    """Write a dictionary in a format that can be written.

    Raises:
        UsageError: the format is only read, or cannot say what this dictionary does.
        PlanError: no such format. StorageError: the disk refused.
    """
    chosen = FORMATS.get(format)
    if not chosen.writes:
        able = ", ".join(name for name in FORMATS if FORMATS.get(name).writes)
        raise UsageError(f"{format} is read here and not written.", f"Choose one of: {able}.")
    chosen.write(dictionary, Path(path))


def one(dictionary: AnyDictionary, format: str) -> Dictionary:
    """The dictionary of a layout that holds one.

    Raises:
        UsageError: it is a set.
    """
    if isinstance(dictionary, DictionarySet):
        raise UsageError(
            f"{format} holds one dictionary and this is a set of {len(dictionary.parts)}.",
            "Write it as brainscan or circuit-tracer.",
        )
    return dictionary
