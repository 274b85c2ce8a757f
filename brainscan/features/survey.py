"""The survey: run a subject over texts once and write down every firing of every feature.

Numbered phases: 1) pack the texts into rows, in their order, so that the second half of the survey is
other documents than the first; 2) run, encode, keep what fired; 3) turn it into an inverted index;
4) read logit effects and neighbours off the decoder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from brainscan.activations.contexts import Cursor, Packer, Packing
from brainscan.activations.sources import TextSource
from brainscan.core.address import Site
from brainscan.core.errors import InputError
from brainscan.core.evidence import Record
from brainscan.dictionary.dictionary import Dictionary, side_by_side
from brainscan.dictionary.fit import check_fit
from brainscan.features.index import About, FeatureIndex, Floats, Ints, Logits, Neighbours
from brainscan.subject.language import LanguageSubject

_CHUNK = 1024
_RESIDUAL = ("resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out")


class SurveyConfig(Record):
    """How much is read. Memory: 24 bytes for each firing, so 24 * L0 * tokens."""

    tokens: int = 200_000
    """About so many tokens of text."""
    context: int = 128
    bos: bool | None = None
    skip: int = 1
    """First positions of a row that do not count."""
    listed: int = 12
    """Tokens listed as raised and lowered, and neighbours."""
    rows: int = 8
    """Rows a forward pass."""


@dataclass(frozen=True)
class _Firings:
    """What fired in some rows."""

    features: Ints
    where: Ints
    values: Floats


def survey(
    subject: LanguageSubject,
    dictionary: Dictionary,
    source: TextSource,
    config: SurveyConfig | None = None,
    *,
    name: str = "dictionary",
    progress: Callable[[float, str], None] = lambda fraction, words: None,
) -> FeatureIndex:
    """Survey a dictionary of a subject over a source of texts.

    Raises:
        UsageError: the dictionary does not say what it reads, or does not fit the subject.
        InputError: the source holds less than two rows.
        SiteUnavailable: the subject lacks a site.
    """
    config = config or SurveyConfig()
    check_fit(subject, dictionary)  # what does not fit is said before the texts are packed
    rows = _rows(subject, source, config)  # phase 1
    counts = _counts(subject, rows, config.skip)
    about = About(
        subject=subject.card.name,
        subject_sha256=subject.card.weights_sha256,
        dictionary=name,
        reads=dictionary.reads,
        writes=dictionary.writes,
        source=source.name,
        source_sha256=source.identity(),
        n_features=dictionary.n_features,
        context=config.context,
        counted=int(counts.sum()),
    )
    return _surveyed(subject, dictionary, (rows, counts), about, config, progress)


def survey_again(
    index: FeatureIndex,
    subject: LanguageSubject,
    dictionary: Dictionary,
    name: str,
    *,
    progress: Callable[[float, str], None] = lambda fraction, words: None,
) -> FeatureIndex:
    """Survey another dictionary on the texts of a survey, so that the two can be compared.

    Raises:
        UsageError: the dictionary does not fit the subject. SiteUnavailable: the subject lacks a site.
    """
    about = index.about.model_copy(
        update={
            "dictionary": name,
            "reads": dictionary.reads,
            "writes": dictionary.writes,
            "n_features": dictionary.n_features,
        }
    )
    config = SurveyConfig(context=index.about.context)
    return _surveyed(subject, dictionary, (index.tokens, index.counts), about, config, progress)


def _surveyed(
    subject: LanguageSubject,
    dictionary: Dictionary,
    texts: tuple[Ints, np.ndarray],
    about: About,
    config: SurveyConfig,
    progress: Callable[[float, str], None],
) -> FeatureIndex:
    """Phases 2 to 4 on rows of tokens and the mask of those that count."""
    sites = check_fit(subject, dictionary)
    rows, counts = texts
    parts: list[_Firings] = []
    for start in range(0, len(rows), config.rows):  # phase 2
        parts.append(_run(subject, dictionary, sites, rows, counts, slice(start, start + config.rows)))
        done = min(start + config.rows, len(rows))
        progress(0.95 * done / len(rows), f"{done * config.context:,} tokens surveyed")
    offsets, where, values = _inverted(parts, dictionary.n_features)  # phase 3
    progress(0.96, "reading the decoder")
    logits, near = logit_effects(subject, dictionary, config.listed), neighbours(dictionary, config.listed)  # phase 4
    pieces = subject.pieces(range(int(subject.unembedding.shape[0])))
    progress(1.0, "surveyed")
    return FeatureIndex(about, rows, counts, offsets, where, values, logits, near, pieces)


def logit_effects(subject: LanguageSubject, dictionary: Dictionary, listed: int) -> Logits:
    """Tokens that each feature raises and lowers through final norm and output matrix.

    The decoder row is scaled to root mean square 1 before the norm, as a residual stream there would
    be, so effects of different features can be compared; the mean over the vocabulary is taken off.
    Attributed, not tested: no later layer acts in it. Empty for sites that are not added to the stream.
    """
    point = Site.parse(dictionary.writes[0]).point if len(dictionary.writes) == 1 else ""
    if point not in _RESIDUAL or dictionary.d_out != subject.d_model:
        empty = np.zeros((dictionary.n_features, 0))
        return Logits(empty.astype(np.int32), empty, empty.astype(np.int32), empty)
    out: list[list[torch.Tensor]] = [[], [], [], []]
    weight = subject.unembedding.float()
    with torch.no_grad():
        still = subject.final_norm(
            torch.zeros(1, 1, subject.d_model, device=weight.device, dtype=subject.unembedding.dtype)
        )
        for rows in dictionary.W_dec.split(_CHUNK // 4):
            scaled = rows / rows.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
            normed = subject.final_norm(scaled.to(still)[None])[0] - still[0]
            logits = normed.float() @ weight.T  # [features, vocab]
            logits = logits - logits.mean(1, keepdim=True)
            high, low = (
                logits.topk(min(listed, logits.shape[1])),
                logits.topk(min(listed, logits.shape[1]), largest=False),
            )
            for place, tensor in enumerate((high.indices, high.values, low.indices, low.values)):
                out[place].append(tensor.cpu())
    raised, raised_by, lowered, lowered_by = (torch.cat(part).numpy() for part in out)
    return Logits(raised.astype(np.int32), raised_by, lowered.astype(np.int32), lowered_by)


def neighbours(dictionary: Dictionary, listed: int) -> Neighbours:
    """The features with the most similar decoder rows, by cosine, itself left out."""
    unit = torch.nn.functional.normalize(dictionary.W_dec.float(), dim=1)
    count = min(listed, dictionary.n_features - 1)
    features, cosines = [], []
    for start in range(0, len(unit), _CHUNK):
        similar = unit[start : start + _CHUNK] @ unit.T
        similar[torch.arange(len(similar)), torch.arange(start, start + len(similar))] = -2.0
        best = similar.topk(count)
        features.append(best.indices)
        cosines.append(best.values)
    return Neighbours(torch.cat(features).numpy().astype(np.int32), torch.cat(cosines).numpy())


def _rows(subject: LanguageSubject, source: TextSource, config: SurveyConfig) -> Ints:
    need = max(2, config.tokens // config.context)
    packing = Packing(context=config.context, bos=config.bos, window=min(need, 256), seed=None)
    packer = Packer(source, subject, packing)
    found: list[Ints] = []
    for window in packer.windows(Cursor()):
        found.append(window.rows)
        if sum(map(len, found)) >= need:
            break
    rows = np.concatenate(found)[:need] if found else np.zeros((0, config.context), np.int32)
    if len(rows) < 2:
        raise InputError(f"{source.name} holds too little text for a survey.", "Give more text.")
    return rows


def _counts(subject: LanguageSubject, rows: Ints, skip: int) -> np.ndarray:
    counts = ~np.isin(rows, list(subject.tokenizer.all_special_ids))
    counts[:, :skip] = False
    return counts


def _run(
    subject: LanguageSubject,
    dictionary: Dictionary,
    sites: tuple[Site, ...],
    rows: Ints,
    counts: np.ndarray,
    part: slice,
) -> _Firings:
    found: dict[str, torch.Tensor] = {}

    def collect(site: Site, x: torch.Tensor) -> None:
        found[str(site)] = x.reshape(x.shape[0] * x.shape[1], -1).float().cpu().clone()

    subject.inspect(subject.batch(rows[part].tolist()), dict.fromkeys(sites, collect))
    x = side_by_side(found, tuple(map(str, sites)))
    kept = np.flatnonzero(counts[part].reshape(-1))
    features, where, values = [], [], []
    for chunk in np.array_split(kept, max(1, -(-len(kept) // _CHUNK))):
        with torch.no_grad():
            codes = dictionary.encode_sparse(x[torch.from_numpy(chunk)])
        token, slot = (codes.values > 0).nonzero(as_tuple=True)
        features.append(codes.indices[token, slot].numpy())
        where.append(chunk[token.numpy()])
        values.append(codes.values[token, slot].numpy())
    first = (part.start or 0) * rows.shape[1]
    return _Firings(
        np.concatenate(features).astype(np.int32),
        (np.concatenate(where) + first).astype(np.int32),
        np.concatenate(values).astype(np.float32),
    )


def _inverted(parts: list[_Firings], n_features: int) -> tuple[Ints, Ints, Floats]:
    features = np.concatenate([part.features for part in parts])
    order = np.argsort(features, kind="stable")  # positions were ascending and stay so within a feature
    offsets = np.concatenate([[0], np.cumsum(np.bincount(features, minlength=n_features))])
    where = np.concatenate([part.where for part in parts])[order]
    return offsets, where, np.concatenate([part.values for part in parts])[order]
