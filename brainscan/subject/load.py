"""A subject from its spelling: found, checked, hashed, opened.

The phases, with their share of the progress: 1) find and fetch the folder (0 to 0.5), 2) check the
files, 3) hash them (0.6), 4) open weights and tokenizer (0.9), 5) apply the adapter and check that
every weight is a number, 6) write the card.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

from brainscan.core.visible import visible
from brainscan.subject.adapter import apply_adapter
from brainscan.subject.card import write_card
from brainscan.subject.device import choose_device
from brainscan.subject.find import find_files
from brainscan.subject.gguf import ABOUT
from brainscan.subject.language import LanguageSubject
from brainscan.subject.opening import open_model, open_tokenizer
from brainscan.subject.progress import Progress, silent, stage
from brainscan.subject.source import Source, parse_source
from brainscan.subject.weights import check_finite, read_json


def load_subject(
    spec: str,
    *,
    cache: Path | None = None,
    device: str | None = None,
    dtype: str = "float32",
    merge_adapter: bool = True,
    allow_remote_code: bool = False,
    offline: bool = False,
    progress: Progress = silent,
) -> LanguageSubject:
    """Find, fetch, check and open a model.

    Args:
        spec: short name, folder, ``.gguf`` file, hub id, or ``BASE+ADAPTER_FOLDER`` (see ``source.py``).
        cache: brainscan's folder for models; None for the user's cache folder.
        device: "cpu", "cuda", "cuda:N", "mps", or None for the fastest that is there.
        dtype: "float32", or "bfloat16" on cuda.
        merge_adapter: add a LoRA adapter into the weights; False (or ``:live`` in the spec) keeps its layers.
        allow_remote_code: run Python code that comes with the model. The card says so.
        offline: reach no network, whatever the spec.
        progress: called with the fraction done and a few words.

    Raises:
        SubjectNotFound: nothing at that name, or it cannot be fetched.
        UnsafeSubject: opening it could run code.
        BrokenSubject: truncated, inconsistent, incomplete or not finite.
        MissingTokenizer, UnknownFamily, UsageError, StorageError.
    """
    cache = platformdirs.user_cache_path("brainscan") if cache is None else cache
    choice = choose_device(device, dtype)
    source = parse_source(spec, cache)
    found = find_files(
        source, cache, stage(progress, 0.0, 0.5), offline=offline, allow_remote_code=allow_remote_code
    )  # 1, 2
    progress(0.5, "hashing the weights")
    files = found.hashed(cache)  # 3
    progress(0.6, "opening the weights")
    opened = open_model(found.folder, choice, allow_remote_code=allow_remote_code)  # 4
    vocabulary = opened.model.get_input_embeddings().weight.shape[0]
    tokenizer = open_tokenizer(found.folder, vocabulary, allow_remote_code=allow_remote_code)
    model, live = opened.model, source.live or not merge_adapter
    if source.adapter:
        progress(0.9, "applying the adapter")
        model = apply_adapter(model, source.adapter, live=live)  # 5
    check_finite(model, source.name)
    notes = (*_origin_notes(found.folder), *_notes(source, opened.unused, live))
    remote = allow_remote_code and bool(getattr(model.config, "auto_map", None))
    card = write_card(source, files, model, tokenizer, choice, notes=notes, remote_code=remote)  # 6
    progress(1.0, "ready")
    return LanguageSubject(model, tokenizer, card)


def _origin_notes(folder: Path) -> tuple[str, ...]:
    """What brainscan wrote down when it converted the folder from a GGUF file."""
    if not (folder / ABOUT).is_file():
        return ()
    about = read_json(folder / ABOUT)
    made = f"The weights were unpacked to float32 from {about.get('source')}, so they carry its rounding."
    return (
        visible(made, keep="", limit=300),
        *(visible(str(note), keep="", limit=300) for note in about.get("notes", ())),
    )


def _notes(source: Source, unused: int, live: bool) -> list[str]:
    notes = (
        [f"{unused} tensors in the weight files have no place in the architecture and were left out."] if unused else []
    )
    if source.adapter:
        notes.append(f"The LoRA adapter {'runs live beside' if live else 'was added into'} the weights.")
        if (source.adapter / "tokenizer.json").is_file():
            notes.append("The adapter's folder has a tokenizer of its own; the base model's was used.")
    return notes
