"""What a tier lets an auditor do with one model, metered.

Every pass through the subject, the reference or a tuned copy is counted where it happens, in a hook on the
model itself, and the pass that would go beyond the budget is refused before it runs. The tier is kept by
the methods below; Python cannot keep an auditor from reaching past them, so a breach is a foul, not a lock.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from brainscan.activations.capture import Activations, Keep, capture
from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.core.evidence import Cost
from brainscan.games.rules import BeyondTier, Budget, BudgetSpent, Rules, Tier, allows
from brainscan.subject.adapter import apply_adapter
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import CACHE_NAMES, LanguageSubject
from brainscan.subject.learning import Row
from brainscan.subject.lora import LoraSettings, train_lora
from brainscan.subject.score import log_probabilities, next_token_logits
from brainscan.subject.tree import reads_trees

MOST_STEPS = 16
"""Most steps of fine-tuning on the one demonstration."""


@dataclass(frozen=True)
class Ask:
    """One thing put to the model."""

    user: str
    system: str | None = None
    begun: str = ""
    """The answer as begun for it (A1)."""
    plain: bool = False
    """No chat: ``user`` is a text that it goes on with (A1)."""


class Meter:
    """Counts tokens and processor time, and refuses what goes beyond the budget."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.process_time) -> None:
        self.budget, self._clock = budget, clock
        self._started = clock()
        self.read, self.written = 0, 0
        self._earlier = 0.0

    @property
    def seconds(self) -> float:
        """Processor seconds since the meter was made, and those that were charged."""
        return self._earlier + self._clock() - self._started

    @property
    def tokens_left(self) -> int | None:
        """Tokens of the budget that are left; None without a limit."""
        return None if self.budget.tokens is None else max(0, self.budget.tokens - self.read - self.written)

    def spend(self, read: int, written: int) -> None:
        """Book a pass before it runs.

        Raises:
            BudgetSpent: it does not fit any more; nothing is booked.
        """
        if self.tokens_left is not None and read + written > self.tokens_left:
            raise BudgetSpent(f"{self.read + self.written:,} of {self.budget.tokens:,} tokens are used")
        minutes = self.budget.cpu_minutes
        if minutes is not None and self.seconds > 60 * minutes:
            raise BudgetSpent(f"{minutes:g} CPU minutes are used")
        self.read, self.written = self.read + read, self.written + written

    def charge(self, cost: Cost) -> None:
        """Book what was done before the meter was made and is made use of now, as if it were done now.

        Args:
            cost: ``seconds`` are processor seconds.

        Raises:
            BudgetSpent: it does not fit any more; nothing is booked.
        """
        minutes = self.budget.cpu_minutes
        if minutes is not None and self.seconds + cost.seconds > 60 * minutes:
            raise BudgetSpent(f"{self.seconds + cost.seconds:,.0f} s would go beyond {minutes:g} CPU minutes")
        self.spend(cost.tokens_read, cost.tokens_written)
        self._earlier += cost.seconds

    def cost(self) -> Cost:
        """What was used so far."""
        return Cost(seconds=round(self.seconds, 3), tokens_read=self.read, tokens_written=self.written)

    def watch(self, subject: LanguageSubject) -> Any:
        """Count every pass of the subject from now on; returns the handle whose ``remove()`` ends it."""
        reads_trees(subject, 1)  # its one trial a model is the house's expense

        def book(module: torch.nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
            self.spend(*_counted(args, named))

        return subject.body.register_forward_pre_hook(book, with_kwargs=True)


@dataclass
class Access:
    """One model as a tier shows it. Use it in a ``with`` block: the meter runs until the end of it.

    Every method raises ``BeyondTier`` when the tier does not give it and ``BudgetSpent`` when the budget is
    spent; ``InputError`` when a prompt is empty or too long.
    """

    model: str
    """Its opaque id."""
    rules: Rules
    _subject: LanguageSubject
    _reference: LanguageSubject | None = None
    meter: Meter = None  # type: ignore[assignment]  # made from the rules when left out
    fouls: list[str] = field(default_factory=list)
    """What was reached for beyond the tier."""
    _handles: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.meter = self.meter or Meter(self.rules.budget)

    def __enter__(self) -> Access:
        self._handles += [self.meter.watch(each) for each in (self._subject, self._reference) if each is not None]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    # --- A0 and A1 ------------------------------------------------------------------------

    def sample(
        self, asks: Sequence[Ask | str], *, max_new: int = 24, temperature: float = 0.0, seed: int = 0
    ) -> list[str]:
        """Its answers, in order (A0; asks that are begun or plain: A1). Temperature 0 is greedy."""
        decoding = Decoding(max_new=max_new, temperature=temperature, seed=seed)
        return [answer.text for answer in generate(self._subject, self._ids(asks), decoding)]

    def log_p(self, asks: Sequence[Ask | str], answers: Sequence[str]) -> list[float]:
        """Log-probability in nats of each answer after its ask, summed over its tokens (A1).

        An answer that goes on after a word begins with a space.
        """
        self._need("A1", "log-probabilities")
        return log_probabilities(self._subject, self._ids(asks), [self._subject.raw_tokens(said) for said in answers])

    def next_tokens(self, asks: Sequence[Ask | str], *, top: int = 10) -> list[dict[str, float]]:
        """The likeliest next tokens after each ask with their log-probabilities in nats (A1)."""
        self._need("A1", "log-probabilities")
        log_p = torch.log_softmax(next_token_logits(self._subject, self._ids(asks)), -1)
        best = log_p.topk(min(top, log_p.shape[-1]))
        return [
            dict(zip(self._subject.pieces(ids), values, strict=True))
            for ids, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    # --- A2 to A5 -------------------------------------------------------------------------

    @property
    def subject(self) -> LanguageSubject:
        """The model itself, to read activations from (A2). Reading its weights takes A4."""
        self._need("A2", "the model's inside")
        return self._subject

    def activations(
        self, texts: Sequence[Ask | str], sites: Iterable[str | Site], *, keep: Keep = "last"
    ) -> dict[Site, Activations]:
        """Activations at sites while it reads the asks (A2)."""
        self._need("A2", "activations")
        return capture(self._subject, self._ids(texts), sites, keep=keep)

    @property
    def reference(self) -> Access:
        """The reference under the same tier and the same meter (A3).

        Raises:
            UsageError: this model was dealt without one.
        """
        self._need("A3", "the reference")
        if self._reference is None:
            raise UsageError(f"{self.model} has no reference.", "Audit it at tier A2.")
        return Access(self.model, self.rules, self._reference, None, self.meter, self.fouls)

    def weights(self) -> dict[str, torch.Tensor]:
        """Its parameters by name; not to be written to (A4)."""
        self._need("A4", "weights")
        return {name: weight.detach() for name, weight in self._subject.model.named_parameters()}

    def tuned(self, ask: Ask | str, answer: str, *, steps: int = 8) -> Access:
        """A copy of it, fine-tuned for some steps on one demonstration, on the same meter (A5).

        Raises:
            UsageError: more steps than ``MOST_STEPS``.
        """
        self._need("A5", "fine-tuning")
        if not 1 <= steps <= MOST_STEPS:
            raise UsageError(f"{steps} steps of fine-tuning are not allowed.", f"Ask for 1 to {MOST_STEPS}.")
        end = self._subject.tokenizer.eos_token_id
        row = Row(tuple(self._ids([ask])[0]), (*self._subject.raw_tokens(answer), *([end] if end is not None else [])))
        settings = LoraSettings(rank=4, alpha=8.0, steps=steps, batch=1, seed=self.rules.seed)
        with tempfile.TemporaryDirectory() as folder:
            train_lora(self._subject, [row], Path(folder) / "tuned", settings)
            model = apply_adapter(copy.deepcopy(self._subject.model), Path(folder) / "tuned", live=False)
        return Access(
            self.model,
            self.rules,
            LanguageSubject(model, self._subject.tokenizer, self._subject.card),
            None,
            self.meter,
            self.fouls,
        )

    # --- inside ---------------------------------------------------------------------------

    def _need(self, tier: Tier, what: str) -> None:
        if not allows(self.rules.tier, tier):
            self.fouls.append(what)
            raise BeyondTier(self.rules.tier, tier, what)

    def _ids(self, asks: Sequence[Ask | str]) -> list[list[int]]:
        given = [Ask(ask) if isinstance(ask, str) else ask for ask in asks]
        if any(ask.plain for ask in given):
            self._need("A1", "going on with plain text")
        if any(ask.begun for ask in given):
            self._need("A1", "beginning its answer")
        return [self._read(ask) for ask in given]

    def _read(self, ask: Ask) -> list[int]:
        if ask.plain:
            return self._subject.tokens(ask.user + ask.begun)
        return self._subject.chat(ask.user, system=ask.system, answer=ask.begun)


def _counted(args: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, int]:
    """Tokens read and written by a pass: one column with a cache behind it is a token written a row."""
    ids = named.get("input_ids", args[0] if args else None)
    if ids is None:
        ids = named["inputs_embeds"][..., 0]
    mask = named.get("attention_mask")
    if ids.shape[1] == 1 and any(named.get(name) is not None for name in CACHE_NAMES):
        return 0, ids.shape[0]
    if mask is not None and mask.shape == ids.shape:
        return int(mask.sum()), 0
    return ids.numel(), 0
