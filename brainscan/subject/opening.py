"""From a checked folder to a model and a tokenizer: the calls into transformers, and what they hide.

transformers draws new random weights where a checkpoint lacks some, and says so only in its log.
Here that is an error.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from brainscan.core.errors import BrokenSubject, UnknownFamily
from brainscan.core.visible import visible
from brainscan.subject.device import DeviceChoice


@dataclass(frozen=True)
class OpenedModel:
    """A transformers causal LM on its device, in eval mode, without gradients."""

    model: Any
    unused: int
    """Tensors in the files that the architecture has no place for."""


def open_model(folder: Path, choice: DeviceChoice, *, allow_remote_code: bool = False) -> OpenedModel:
    """Load the weights of a folder that ``check_folder`` has passed; never reaches a network.

    The attention implementation is the class's own default: fused where that is exact, eager where
    not (Gemma 2 caps its attention scores, which the fused one would leave out).

    Raises:
        BrokenSubject: the weights do not fit the config, or some are missing.
        UnknownFamily: transformers knows no such architecture.
    """
    try:
        with quiet():
            opened: Any = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=choice.dtype,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=allow_remote_code,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises whatever its parts raise
        raise _not_opened(folder, error) from error
    model, info = opened
    missing = sorted(map(str, info["missing_keys"]))
    if missing:
        raise BrokenSubject(
            f"{folder} lacks the weights of {len(missing)} tensors, first {visible(missing[0], keep='')}.",
            "Save the whole model again; a partial checkpoint would be filled up with random numbers.",
        )
    return OpenedModel(model.to(choice.name).eval().requires_grad_(False), len(info["unexpected_keys"]))


def open_tokenizer(folder: Path, vocabulary: int, *, allow_remote_code: bool = False) -> Any:
    """The folder's tokenizer, with a padding token that adds nothing to the vocabulary.

    Args:
        folder: checked before.
        vocabulary: rows of the model's embedding.
        allow_remote_code: run the tokenizer's own code, if it has any.

    Raises:
        BrokenSubject: it cannot be read, or has tokens that the model has no embedding for.
    """
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=allow_remote_code
            )
    except Exception as error:  # as above
        raise BrokenSubject(
            f"The tokenizer in {folder} cannot be read: {_words(error)}",
            "Copy the model's tokenizer files there again.",
        ) from error
    if len(tokenizer) > vocabulary:
        raise BrokenSubject(
            f"The tokenizer in {folder} has {len(tokenizer)} tokens and the model only {vocabulary} embeddings.",
            "Copy the tokenizer that belongs to this model there.",
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the bars, warnings and log lines of transformers and peft out of the user's terminal."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


_UNKNOWN = ("does not recognize this architecture", "Unrecognized configuration class", "Unrecognized model")


def _not_opened(folder: Path, error: Exception) -> BrokenSubject | UnknownFamily:
    if any(words in str(error) for words in _UNKNOWN):
        return UnknownFamily(
            f"transformers knows no language model of the kind that {folder / 'config.json'} names.",
            "Check its model_type, or install a newer transformers.",
        )
    return BrokenSubject(f"The model in {folder} cannot be opened: {_words(error)}", "Fetch or save it again.")


def _words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return visible(f"{type(error).__name__}: {' '.join(lines[:3])}", keep="", limit=300)
