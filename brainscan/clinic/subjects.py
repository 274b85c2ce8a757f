"""Open a subject as the environment says: where models are kept, whether there is a network, on how many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainscan.clinic.environment import read_environment
from brainscan.subject.progress import Progress, silent

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


def open_subject(
    spec: str,
    *,
    device: str | None = None,
    threads: int | None = None,
    allow_remote_code: bool = False,
    progress: Progress = silent,
) -> LanguageSubject:
    """A subject as the command line names it. torch is imported here and not before.

    Args:
        threads: of this process from now on; the environment's when left out, and torch's own choice if that says nothing.

    Raises:
        SubjectError: it cannot be found or used.
    """
    import torch

    from brainscan.subject.load import load_subject

    environment = read_environment()
    if wanted := threads or environment.threads:
        torch.set_num_threads(wanted)
    return load_subject(
        spec,
        cache=environment.cache,
        device=device,
        allow_remote_code=allow_remote_code,
        offline=environment.offline,
        progress=progress,
    )
