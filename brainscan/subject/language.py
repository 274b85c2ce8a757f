"""A language model under examination: tokens in, activations and logits out.

This file refuses to know files, downloads and instruments.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jinja2 import TemplateError
from torch import nn

from brainscan.core.address import POINTS, WITHOUT_LAYER, Site
from brainscan.core.errors import InputError, MissingChatTemplate, SiteUnavailable, TooLong
from brainscan.core.provenance import SubjectCard
from brainscan.core.visible import visible
from brainscan.subject.edit import Edit, Layout
from brainscan.subject.families import Family, family_of
from brainscan.subject.hooks import Collector, Stopped, hooked, port_of

CACHE_NAMES = ("cache", "past_key_values")
"""What models call their key-value cache, transformers 5.24's name first."""

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Batch:
    """Rows of tokens, padded to one length."""

    ids: torch.Tensor  # [batch, pos] int64
    mask: torch.Tensor  # [batch, pos] int64, 1 for a token, 0 for padding
    positions: torch.Tensor  # [batch, pos] int64, index in the row, -1 for padding
    lengths: torch.Tensor  # [batch] int64

    def layout(self) -> Layout:
        """Where the tokens are, for edits."""
        return Layout(self.positions, self.lengths)


class LanguageSubject:
    """A causal language model with its tokenizer.

    Args:
        model: a transformers causal LM, already in eval mode.
        tokenizer: its tokenizer.
        card: who it is.

    Raises:
        UnknownFamily: the architecture has no row and cannot be read by structure.
    """

    def __init__(self, model: Any, tokenizer: Any, card: SubjectCard) -> None:
        self.model, self.tokenizer, self.card = model, tokenizer, card
        self.family: Family = family_of(model)
        self.config = model.config.get_text_config()
        self.body: nn.Module = model.get_submodule(self.family.body)
        self.standing: tuple[Edit, ...] = ()
        self.system: str | None = None

    # --- what it is -----------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.model.parameters()).device

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return int(self.config.num_hidden_layers)

    @property
    def n_heads(self) -> int:
        """Query heads a block."""
        return int(self.config.num_attention_heads)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return int(self.config.hidden_size)

    @property
    def max_length(self) -> int:
        """Longest prompt in tokens that its position encoding was made for."""
        return int(getattr(self.config, "max_position_embeddings", None) or getattr(self.config, "seq_length", 2048))

    @property
    def unembedding(self) -> torch.Tensor:
        """Output matrix [vocab, d_model]."""
        return self.model.get_output_embeddings().weight

    @property
    def final_norm(self) -> nn.Module:
        """The norm before the unembedding."""
        return self.body.get_submodule(self.family.final_norm)

    def spread_layers(self, count: int = 5) -> tuple[int, ...]:
        """About ``count`` layers spread evenly over depth, first and last blocks left out."""
        inner = torch.linspace(0, self.n_layers - 1, count + 2)[1:-1].round().int().tolist()
        return tuple(sorted(set(inner)))

    # --- sites ----------------------------------------------------------------------------

    def points(self) -> tuple[str, ...]:
        """Points that this model offers."""
        return tuple(point for point in POINTS if not self._refusal(point))

    def check(self, site: str | Site) -> Site:
        """The site, if this model can offer it.

        Raises:
            UnknownSite: the spelling is not an address.
            SiteUnavailable: this model has no such place; the message says why.
        """
        site = Site.parse(site) if isinstance(site, str) else site
        if why := self._refusal(site.point):
            raise SiteUnavailable(
                f"{self.card.name} cannot offer {site}: {why}.", f"It offers {', '.join(self.points())}."
            )
        if site.layer is not None and not 0 <= site.layer < self.n_layers:
            raise SiteUnavailable(
                f"{self.card.name} has no layer {site.layer}.", f"Its layers are 0 to {self.n_layers - 1}."
            )
        return site

    def _refusal(self, point: str) -> str:
        if point == "resid_mid" and not self.family.has_resid_mid(self.config):
            return "there is no stream between attention and MLP in its blocks"
        if point in self.family.ports or point in ("resid_pre", "resid_mid", "resid_post", *WITHOUT_LAYER):
            return ""
        return f"the family {self.family.name} has no port for it"

    # --- tokens ---------------------------------------------------------------------------

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text, with the tokenizer's own special tokens.

        Raises:
            InputError: no token comes out of it, more than the model can read, or it is no text.
        """
        return self.fits(self.tokenizer(_sound(text))["input_ids"])

    def raw_tokens(self, text: str) -> list[int]:
        """Token ids of a piece of text, with no special token around it; may be empty.

        Raises:
            InputError: it is no text.
        """
        return self.tokenizer(_sound(text), add_special_tokens=False)["input_ids"]

    def chat(self, user: str, *, system: str | None = None, answer: str = "") -> list[int]:
        """Token ids of one user turn, ready for the answer, which may be begun with ``answer``.

        Raises:
            MissingChatTemplate: the tokenizer has none.
            InputError: the prompt is longer than the model can read.
        """
        return self.fits(self.raw_tokens(self.chat_text(user, system=system) + answer))

    def chat_text(self, user: str, *, system: str | None = None) -> str:
        """The text of one user turn under the model's chat template, up to where it answers."""
        turns = [{"role": "system", "content": system}] if system else []
        return self.turns_text([*turns, {"role": "user", "content": user}])

    def turns_text(self, turns: Sequence[Mapping[str, str]]) -> str:
        """The text of several turns (role, content) under the chat template, up to where the model answers.

        Raises:
            MissingChatTemplate: the tokenizer has none.
            InputError: the template refuses the turns, for example a system's where it knows none.
        """
        if not getattr(self.tokenizer, "chat_template", None):
            raise MissingChatTemplate(
                f"{self.card.name} has no chat template, so it cannot be spoken to as a chat model.",
                "Add chat_template to its tokenizer_config.json, or scan it with texts alone.",
            )
        said = self._under_system(turns)
        try:
            return self.tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            why = visible(str(error), keep="", limit=200)
            raise InputError(
                f"The chat template of {self.card.name} refuses these turns: {why}.",
                "Many allow no system turn, and ask for user and assistant in turn.",
            ) from error

    def _under_system(self, turns: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """The turns with the subject's own system prompt before what theirs says."""
        if not self.system:
            return list(turns)
        has_own = bool(turns) and turns[0]["role"] == "system"
        said = f"{self.system}\n{turns[0]['content']}" if has_own else self.system
        return [{"role": "system", "content": said}, *turns[has_own:]]

    def text(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Text of token ids; special tokens are left out unless asked for."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=not special)

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """The text of each token, one by one."""
        return tuple(self.tokenizer.batch_decode([[int(i)] for i in ids]))

    def fits(self, ids: Sequence[int]) -> list[int]:
        """The same ids, if the model can read them.

        Raises:
            InputError: there are none. TooLong: there are more than the model can read.
        """
        if not ids:
            raise InputError("The prompt is empty: no token comes out of it.", "Give at least one character of text.")
        if len(ids) > self.max_length:
            raise TooLong(
                f"The prompt has {len(ids):,} tokens and {self.card.name} reads at most {self.max_length:,}.",
                "Shorten it, or split it into parts.",
            )
        return list(ids)

    def batch(self, rows: Sequence[Sequence[int]], side: Side = "right") -> Batch:
        """Pad rows of ids to one length; positions follow the mask, so padding changes nothing."""
        width = max(len(row) for row in rows)
        pad = self.tokenizer.pad_token_id or 0
        ids = torch.full((len(rows), width), pad, dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            where = slice(width - len(row), width) if side == "left" else slice(0, len(row))
            ids[i, where] = torch.tensor(row, dtype=torch.long)
            mask[i, where] = 1
        positions = (mask.cumsum(1) - 1).masked_fill(mask == 0, -1)
        lengths = mask.sum(1)
        return Batch(*(t.to(self.device) for t in (ids, mask, positions, lengths)))

    # --- running --------------------------------------------------------------------------

    @contextlib.contextmanager
    def under(self, edits: Sequence[Edit] = (), system: str | None = None) -> Iterator[None]:
        """While open, every run of this subject is edited like that, and every chat begins with that system prompt.

        Edits of a run act after the standing ones; blocks may be nested.
        """
        before = self.standing, self.system
        self.standing = (*self.standing, *edits)
        self.system = "\n".join(part for part in (self.system, system) if part) or None
        try:
            yield
        finally:
            self.standing, self.system = before

    def inspect(self, batch: Batch, collect: Mapping[Site, Collector], edits: Sequence[Edit] = ()) -> None:
        """Run the blocks, hand each asked site to its collector, and stop after the last one.

        Logits are never computed. A collector must copy what it keeps: the tensor may be
        overwritten later in the pass.
        """
        with self._ready(batch.layout(), collect, edits, stop=True), contextlib.suppress(Stopped):
            self.body(
                **self._arguments(self.body, batch, any(s.point == "attn_probs" for s in collect)), use_cache=False
            )

    def logits(self, batch: Batch, *, keep: int = 1, edits: Sequence[Edit] = ()) -> torch.Tensor:
        """Next-token logits [batch, keep, vocab] of the last ``keep`` columns (0 keeps all)."""
        with self._ready(batch.layout(), {}, edits, stop=False):
            extra = {"logits_to_keep": keep} if "logits_to_keep" in self._signature(self.model) else {}
            out = self.model(**self._arguments(self.model, batch, False), use_cache=False, **extra)
        return out.logits if extra or not keep else out.logits[:, -keep:]

    def step(
        self,
        batch: Batch,
        layout: Layout,
        cache: Any,
        edits: Sequence[Edit],
        collect: Mapping[Site, Collector] | None = None,
    ) -> Any:
        """One cached pass for generation; transformers' own output, logits of the last column only.

        Each site of ``collect`` is handed to its collector on the way, as in ``inspect``.
        """
        with self._ready(layout, collect or {}, edits, stop=False):
            extra = {"logits_to_keep": 1} if "logits_to_keep" in self._signature(self.model) else {}
            return self.model(
                **self._arguments(self.model, batch, False), **{self._cache_name: cache}, use_cache=True, **extra
            )

    @contextlib.contextmanager
    def _ready(
        self, layout: Layout, collect: Mapping[Site, Collector], edits: Sequence[Edit], *, stop: bool
    ) -> Iterator[None]:
        edits = (*self.standing, *edits)
        for site in {*collect, *(edit.site for edit in edits)}:
            self.check(site)
        eager = any(site.point == "attn_probs" for site in collect)
        hooks = hooked(self.body, self.family, self.n_heads, layout, collect=collect, edits=edits, stop=stop)
        with torch.no_grad(), hooks, self._attention("eager") if eager else contextlib.nullcontext():
            yield

    def _arguments(self, module: nn.Module, batch: Batch, attentions: bool) -> dict[str, Any]:
        given: dict[str, Any] = {"input_ids": batch.ids, "attention_mask": batch.mask}
        if "position_ids" in self._signature(module):
            given["position_ids"] = batch.positions.clamp(min=0)[:, -batch.ids.shape[1] :]
        if attentions:
            given["output_attentions"] = True
        return given

    @property
    def _cache_name(self) -> str:
        """What this model calls its key-value cache."""
        return next(name for name in CACHE_NAMES if name in self._signature(self.model))

    def _signature(self, module: nn.Module) -> frozenset[str]:
        if not hasattr(self, "_signatures"):
            self._signatures: dict[nn.Module, frozenset[str]] = {}
        if module not in self._signatures:
            self._signatures[module] = frozenset(inspect.signature(module.forward).parameters)
        return self._signatures[module]

    @contextlib.contextmanager
    def _attention(self, kind: str) -> Iterator[None]:
        # Only the eager implementation hands out its patterns.
        before = self.config._attn_implementation
        self.config._attn_implementation = kind
        try:
            yield
        finally:
            self.config._attn_implementation = before

    def port(self, site: str | Site) -> Any:
        """The module port behind a site, for tests and for writers of new families."""
        return port_of(self.body, self.family, self.check(site), self.n_heads)


def _sound(text: str) -> str:
    """The same text, if it is one: half a surrogate pair stands for no character, and no tokenizer reads it.

    Raises:
        InputError: it holds such a half.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "The prompt holds half a surrogate pair, which is no character.", "Send valid Unicode."
        ) from error
    return text


def cache_of(out: Any) -> Any:
    """The key-value cache in the output of ``LanguageSubject.step``, to be handed to the next step."""
    return next(out[name] for name in CACHE_NAMES if name in out)
