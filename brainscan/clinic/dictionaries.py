"""The verbs on dictionaries: train, convert, list, show (``judging`` judges). torch is imported where it is needed."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.clinic.corpus import texts_of
from brainscan.clinic.environment import read_environment
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import check_replaceable
from brainscan.core.provenance import sha256_of_json

if TYPE_CHECKING:
    from brainscan.activations.sources import TextSource
    from brainscan.activations.stream import ActivationStream, Stream, StreamConfig, StreamState
    from brainscan.dictionary.dictionary import Dictionary, DictionarySet
    from brainscan.dictionary.formats.format import AnyDictionary
    from brainscan.dictionary.train import Request
    from brainscan.subject.language import LanguageSubject
    from brainscan.subject.progress import Progress

TRAINING = "training"
"""Folder of the runs beside their dictionaries; each has one of its own there, named by plan and stream."""
_JOINT = ("crosscoder", "cross_layer_transcoder")
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Training:
    """What to train, on what, and how long."""

    subject: str
    sites: tuple[str, ...]
    writes: tuple[str, ...] = ()
    """For transcoders: the site that each of ``sites`` is to predict."""
    kind: str = "batchtopk"
    widths: tuple[int, ...] = (8192,)
    """Features; every width is trained at every site, over one stream of activations."""
    k: int = 32
    tokens: int = 2_000_000
    batch: int = 2048
    context: int = 128
    memory: int = 1024
    """Megabytes for activations and the forward pass."""
    text: str | None = None
    out: Path | None = None
    shards: Path | None = None
    """Harvest to this folder once, and train from the disk."""
    dtype: str = "float16"
    """With ``shards``: float16, or float32 for activations that do not fit it."""
    passes: int = 1
    """With ``shards``: times that the harvest is read, each time in another order; so much less is harvested."""
    seed: int = 0
    lr: float | None = None
    sketch: int = 0
    """Above 0: the routed encoder guesses from so many dimensions which features to compute; for wide dictionaries."""
    checkpoint_every: int = 500


class TrainedDictionary(Record):
    """One dictionary that was trained."""

    name: str
    folder: str
    kind: str
    n_features: int
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    tokens: int
    steps: int
    resumed_at: int
    """Step at which this call went on; 0 for a fresh run."""
    explained_variance: float | None = None
    """On the last batches of training, from the journal."""
    l0: float | None = None


class ListedDictionary(Record):
    """One line of ``brainscan dictionary list``."""

    name: str
    folder: str
    format: str
    megabytes: float


class ShownPart(Record):
    """One dictionary, or one part of a set."""

    kind: str
    activation: str
    n_features: int
    d_in: int
    d_out: int
    k: int | None
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    normalisation: str
    skip: bool


class ShownDictionary(Record):
    """What a folder holds."""

    folder: str
    format: str
    kind: str
    parts: tuple[ShownPart, ...]
    about: dict[str, Any]


def dictionaries_folder() -> Path:
    """Where dictionaries lie unless told otherwise."""
    return read_environment().cache / "dictionaries"


def train_dictionaries(training: Training, progress: Progress) -> tuple[TrainedDictionary, ...]:
    """Train every width at every site over one stream; goes on where a killed run stopped.

    Raises:
        UsageError: sites, widths or memory do not go together. PlanError: no such kind.
        SubjectError: the model cannot be opened. RecordError: a dictionary or harvest of another training is there.
        StorageError: a folder of another sort stands where a dictionary belongs, or the disk refused.
    """
    from brainscan.dictionary.formats.format import write_dictionary
    from brainscan.dictionary.kinds import KINDS
    from brainscan.dictionary.train import RunPlan, train

    KINDS.get(training.kind)  # a wrong name or number is said before a model is loaded
    _check(training)
    source = texts_of(training.text)
    requests = _requests(training)
    subject = open_subject(training.subject, progress=progress)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", subject.card.name).strip("-.")[:60] or "subject"
    out = training.out or dictionaries_folder() / slug
    plan = RunPlan(
        requests=requests,
        steps=max(1, training.tokens // training.batch),
        checkpoint_every=training.checkpoint_every,
    )
    opener = _Opener(training, subject, source, progress)
    run = sha256_of_json([plan.model_dump(mode="json"), opener.identity])[:12]
    for request in requests:
        _check_free(out / request.name, run)  # hours before it would be written there
    trained = train(
        opener,
        plan,
        out / TRAINING / run,
        threads=read_environment().threads,
        progress=lambda f, w: progress(f, w),
    )
    facts = {**opener.facts, "run": run}
    for name, made in trained.dictionaries.items():
        write_dictionary(replace(made, about={**made.about, **facts}), out / name)
    last = _last_line(out / TRAINING / run / "journal.jsonl")
    return tuple(
        TrainedDictionary(
            name=request.name,
            folder=str(out / request.name),
            kind=training.kind,
            n_features=request.settings.n_features,
            reads=request.reads,
            writes=request.writes or request.reads,
            tokens=trained.tokens,
            steps=trained.steps,
            resumed_at=trained.resumed_at,
            explained_variance=last.get(request.name, {}).get("explained_variance"),
            l0=last.get(request.name, {}).get("l0"),
        )
        for request in requests
    )


def convert_dictionary(
    ref: str, out: Path, to: str, source: str | None = None, site: str | None = None
) -> ShownDictionary:
    """Read a dictionary in any known format and write it in another.

    Args:
        source: its format, where sniffing errs.
        site: what it reads, where it does not say so itself.

    Raises:
        RecordError: it cannot be read. UsageError: the format cannot say what it does, or it names another site.
        PlanError: no such format. StorageError: a folder of another sort is there, or the disk refused.
    """
    from brainscan.dictionary.formats.format import write_dictionary

    _, held = _opened(ref, source)
    write_dictionary(held if site is None else _at_site(_alone(ref, held), site), out, to)
    return show_dictionary(str(out))


def list_dictionaries(folder: Path | None = None) -> tuple[ListedDictionary, ...]:
    """Dictionaries in a folder, at most three levels deep; by default those of the cache."""
    from brainscan.dictionary.formats.format import sniff

    root = folder or dictionaries_folder()
    found = []
    for path in sorted(p for depth in ("*", "*/*", "*/*/*") for p in root.glob(depth) if p.is_dir()):
        try:
            format = sniff(path).name
        except RecordError:
            continue
        size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
        name = str(path.relative_to(root))
        found.append(ListedDictionary(name=name, folder=str(path), format=format, megabytes=round(size / 1e6, 1)))
    return tuple(found)


def show_dictionary(ref: str) -> ShownDictionary:
    """What a dictionary is, read whole, so that a broken one is found out.

    Raises:
        RecordError: it cannot be read. UsageError: the set has no such part.
    """
    from brainscan.dictionary.dictionary import DictionarySet
    from brainscan.dictionary.formats.format import sniff

    path, held = _opened(ref)
    parts = held.parts if isinstance(held, DictionarySet) else (held,)
    return ShownDictionary(
        folder=str(path),
        format=sniff(path).name,
        kind=held.kind,
        parts=tuple(_shown(part) for part in parts),
        about=dict(held.about),
    )


def find_dictionary(ref: str) -> Path:
    """The folder or file of a dictionary: a path, or a name as ``dictionary list`` shows it.

    Raises:
        RecordError: nothing there.
    """
    for path in (Path(ref).expanduser(), dictionaries_folder() / ref):
        if ref and path.exists():
            return path
    raise RecordError(f"There is no dictionary at {ref!r}.", "Name a folder, or see: brainscan dictionary list")


def open_dictionary(ref: str, site: str | None = None) -> tuple[Path, Dictionary]:
    """A dictionary, or one part of a set named as ``FOLDER#part``.

    Args:
        site: what it reads, where it does not say so itself.

    Raises:
        RecordError: it cannot be read. UnknownSite: the spelling of ``site`` is not an address.
        UsageError: a set without a part, a part that is not there, or a site for one that names its own.
    """
    path, held = _opened(ref)
    return path, _at_site(_alone(ref, held), site)


def _at_site(dictionary: Dictionary, site: str | None) -> Dictionary:
    from brainscan.core.address import Site

    if site is None:
        return dictionary
    if dictionary.reads:
        raise UsageError(
            f"This dictionary says itself that it reads {', '.join(dictionary.reads)}.", "Leave --site out."
        )
    where = (str(Site.parse(site)),)
    return replace(dictionary, reads=where, writes=() if "transcoder" in dictionary.kind else where)


def _opened(ref: str, format: str | None = None) -> tuple[Path, AnyDictionary]:
    """Where it lies, and a dictionary, a set, or the part of a set that ``#`` names."""
    from brainscan.dictionary.dictionary import DictionarySet
    from brainscan.dictionary.formats.format import read_dictionary

    name, _, number = ref.partition("#")
    path = find_dictionary(name)
    held = read_dictionary(path, format)
    if not number or not isinstance(held, DictionarySet):
        return path, held
    if not (number.isdecimal() and int(number) < len(held.parts)):
        raise _which_part(name, held)
    return path, held.parts[int(number)]


def _alone(ref: str, held: AnyDictionary) -> Dictionary:
    from brainscan.dictionary.dictionary import DictionarySet

    if isinstance(held, DictionarySet):
        raise _which_part(ref, held)
    return held


def _which_part(name: str, held: DictionarySet) -> UsageError:
    return UsageError(
        f"{name} is a set of {len(held.parts)} dictionaries.", f"Name one part of it, for example {name}#0."
    )


def _check(training: Training) -> None:
    """Refuse numbers and options that no training can have.

    Raises:
        UsageError: with the option that is meant.
    """
    if training.passes > 1 and training.shards is None:
        raise UsageError("Several passes are made over a harvest on disk.", "Name a folder for it with --shards.")
    if training.dtype not in ("float16", "float32"):
        raise UsageError(f"A harvest is not kept as {training.dtype}.", "Give --dtype float16 or --dtype float32.")
    if not training.widths or min(training.widths) < 1:
        raise UsageError("A dictionary has at least one feature.", "Give --features a number above 0.")
    if training.lr is not None and not 0 < training.lr < math.inf:
        raise UsageError(
            f"The learning rate {training.lr} is no number above 0.", "Give another --lr, or leave it out."
        )


def _requests(training: Training) -> tuple[Request, ...]:
    from brainscan.core.address import Site
    from brainscan.dictionary.settings import Settings
    from brainscan.dictionary.train import Request

    sites = tuple(str(Site.parse(site)) for site in training.sites)
    writes = tuple(str(Site.parse(site)) for site in training.writes)
    if "transcoder" in training.kind and len(writes) != len(sites):
        raise UsageError("A transcoder predicts one site from another.", "Give --writes once for each --site.")
    if writes and "transcoder" not in training.kind:
        raise UsageError(f"A {training.kind} dictionary writes what it reads.", "Leave --writes out.")
    ends = [(sites, writes)] if training.kind in _JOINT else [
        ((site,), writes[i : i + 1]) for i, site in enumerate(sites)
    ]  # fmt: skip
    return tuple(
        Request(
            name=f"{reads[0]}{f'-and-{len(reads) - 1}-more' if len(reads) > 1 else ''}-{training.kind}-{width}",
            settings=Settings(
                kind=training.kind,
                n_features=width,
                k=training.k,
                lr=training.lr,
                sketch=training.sketch,
                seed=training.seed,
            ),
            reads=reads,
            writes=written,
        )
        for reads, written in ends
        for width in training.widths
    )


def _check_free(folder: Path, run: str) -> None:
    """Refuse a place where this run's dictionary would replace something that it did not write.

    Raises:
        RecordError: another training's dictionary is there. StorageError: a folder of another sort is.
    """
    from brainscan.dictionary.formats.format import read_dictionary
    from brainscan.dictionary.formats.native import CONFIG

    check_replaceable(folder, CONFIG)
    if not (folder / CONFIG).is_file() or (known := read_dictionary(folder).about.get("run")) == run:
        return
    whose = "another training" if known else "an earlier version of brainscan, or made elsewhere"
    raise RecordError(
        f"{folder} holds a dictionary of {whose}, which this one would replace.",
        "Name another folder with --out, or remove that dictionary.",
    )


@dataclass(frozen=True)
class _Opener:
    """Opens the stream of a run: live, or from shards that are harvested first."""

    training: Training
    subject: LanguageSubject
    source: TextSource
    progress: Progress

    def __call__(self, state: dict[str, Any] | None) -> Stream:
        """The stream at its beginning or at a state."""
        from brainscan.activations.shards import ShardState, ShardStream, write_shards
        from brainscan.activations.stream import StreamState

        wanted = self.training
        if wanted.shards is None:
            return self.live(None if state is None else StreamState.model_validate(state))
        dtype: Any = wanted.dtype
        write_shards(self.live, wanted.shards, tokens=self._harvested, dtype=dtype, progress=self.progress)
        at = None if state is None else ShardState.model_validate(state)
        return ShardStream(wanted.shards, batch=wanted.batch, passes=None, seed=wanted.seed, state=at)

    def live(self, state: StreamState | None) -> ActivationStream:
        """The stream that the subject is run for."""
        from brainscan.activations.stream import ActivationStream, StreamConfig

        wanted = self.training
        config = StreamConfig(
            sites=tuple(dict.fromkeys((*wanted.sites, *wanted.writes))),
            context=wanted.context,
            batch=wanted.batch,
            memory=wanted.memory * _MEGABYTE,
            seed=wanted.seed,
            passes=None if wanted.shards is None else 1,
        )
        stream = ActivationStream(self.subject, self.source, _with_window(config, self._harvested), state=state)
        stream.watch = lambda words: self.progress(0.0, words)
        return stream

    @property
    def identity(self) -> tuple[object, ...]:
        """What decides the batches."""
        return self.live(None).identity, self.training.passes, self.training.dtype

    @property
    def facts(self) -> dict[str, Any]:
        """What a dictionary should say of its training."""
        card = self.subject.card
        return {
            "subject": card.name,
            "subject_sha256": card.weights_sha256,
            "source": self.source.name,
            "source_sha256": self.source.identity(),
            "context": self.training.context,
            "seed": self.training.seed,
        }

    @property
    def _harvested(self) -> int:
        return -(-self.training.tokens // self.training.passes)


def _with_window(config: StreamConfig, tokens: int) -> StreamConfig:
    """A window that packing can hold in an eighth of the memory, and no longer than what is asked for."""
    most = config.memory // 8 // (config.context * 40)
    enough = -(-(tokens + config.batch) // max(1, config.context - config.skip)) + 1
    return config.model_copy(update={"window": max(16, min(config.window, most, enough))})


def _shown(part: Dictionary) -> ShownPart:
    names = ("kind", "activation", "n_features", "d_in", "d_out", "k", "reads", "writes", "normalisation")
    return ShownPart(**{name: getattr(part, name) for name in names}, skip=part.W_skip is not None)


def _last_line(path: Path) -> dict[str, Any]:
    lines = path.read_text().splitlines() if path.is_file() else []
    return json.loads(lines[-1])["dictionaries"] if lines else {}
