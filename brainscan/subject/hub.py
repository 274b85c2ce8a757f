"""A model from the Hugging Face hub -> its folder in the user's hub cache. Weights as safetensors only."""

from __future__ import annotations

from pathlib import Path

from brainscan.core.errors import SubjectNotFound
from brainscan.core.visible import visible
from brainscan.subject.progress import Progress, silent

_WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
_SECONDS_TO_ANSWER = 5.0


def hub_folder(
    repository: str, progress: Progress = silent, *, offline: bool = False, allow_remote_code: bool = False
) -> Path:
    """The snapshot of ``org/name``, downloaded where it is not there yet.

    Raises:
        SubjectNotFound: no such model, no right to read it, or no network and no copy here.
    """
    from huggingface_hub import snapshot_download

    progress(0.0, f"looking for {repository} on the hub")
    try:
        folder = snapshot_download(
            repository,
            allow_patterns=[*_WANTED, *(("*.py",) if allow_remote_code else ())],
            etag_timeout=_SECONDS_TO_ANSWER,
            local_files_only=offline,
        )
    except (OSError, ValueError) as error:  # every error of the hub's client is one of the two
        raise _not_found(repository, error, offline) from error
    return Path(folder)


def _not_found(repository: str, error: Exception, offline: bool) -> SubjectNotFound:
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    name = visible(repository, keep="")
    if isinstance(error, GatedRepoError):
        return SubjectNotFound(f"{name} on the hub is gated.", "Accept its terms there, then run: hf auth login")
    if isinstance(error, RepositoryNotFoundError):
        return SubjectNotFound(
            f"There is no model {name} on the hub.", "Check the spelling; for a private one: hf auth login"
        )
    if isinstance(error, LocalEntryNotFoundError):
        why = "you asked to stay offline" if offline else "the hub cannot be reached"
        return SubjectNotFound(
            f"{name} is not on this machine, and {why}.",
            "Check the network, or name a local folder, a .gguf file or a short name (brainscan models list).",
        )
    words = visible(str(error).strip().split("\n")[0], keep="", limit=300)
    return SubjectNotFound(f"{name} could not be fetched from the hub: {words}", "Check the spelling and the network.")
