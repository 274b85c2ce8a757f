"""What an instrument reports: measurements, evidence and figures, never opinions.

Records are frozen pydantic models, so that a scan can be read, checked against its schema and
rendered on a machine without torch.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainscan.core.visible import visible

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Record(BaseModel):
    """Base of every record: frozen, and strict about fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


def said_of(error: ValidationError) -> str:
    """What a record refused first, and where, in one line that shows nothing hidden."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return visible(f"{where}: {first['msg']}" if where else str(first["msg"]), keep="", limit=200)


class Status(str, Enum):
    """How well a claim is established, weakest first (see docs/statistics.md)."""

    OBSERVED = "observed"
    """Seen once, for example one generated answer."""
    MEASURED = "measured"
    """Counted or averaged with an interval."""
    ATTRIBUTED = "attributed"
    """Derived from gradients or weights; no edit has tested it."""
    INTERVENED = "intervened"
    """An edit or a changed input changed the outcome in the way claimed."""
    VALIDATED = "validated"
    """Intervened on held-out material, with a control that did not show the effect."""


class Interval(Record):
    """An interval for a value, in the value's own unit."""

    lo: Finite
    hi: Finite
    method: str
    """For example "Clopper-Pearson" or "jackknife t over 8 templates"."""
    level: Finite = 0.95
    """Coverage, 0 to 1."""


class Baseline(Record):
    """The same quantity on something that should not show the effect."""

    what: str
    """For example "reference", "shuffled labels", "random direction"."""
    value: Finite
    n: int | None = None
    interval: Interval | None = None


class Measurement(Record):
    """One number with everything needed to judge it."""

    name: str
    """Dotted and stable: instrument.family.quantity, for example "behaviour.refusal.rate"."""
    value: Finite
    unit: str
    """ "rate" (0..1), "auroc", "nats", "z", "tokens", ..."""
    n: int
    """How many independent items were scored; 0 only for exact properties of the weights."""
    higher_is: Literal["worse", "better", "neither"] = "worse"
    interval: Interval | None = None
    baselines: tuple[Baseline, ...] = ()
    meaning: str = ""
    """One sentence for a reader: what a low and a high value mean."""
    not_scored: int = 0
    """Items beyond ``n`` that could not be scored. A verdict counts them as if they had gone the other way."""
    seed: int | None = None


class Exchange(Record):
    """A prompt with the subject's answer, as evidence to read."""

    prompt: str
    answer: str
    reference_answer: str | None = None


class Evidence(Record):
    """Something that a reader can look at and check for themselves."""

    kind: str
    """For example "answer", "trigger", "promoted-tokens", "direction", "phrase"."""
    summary: str
    measurement: str
    """Name of the measurement that this supports."""
    strength: Finite
    """Sort key within its finding: higher is stronger. Only comparable within one kind."""
    status: Status = Status.OBSERVED
    site: str | None = None
    tokens: tuple[str, ...] = ()
    weights: tuple[Finite, ...] = ()
    """One score per token for colouring, or empty."""
    exchange: Exchange | None = None


class Figure(Record):
    """A drawing that the report makes from an array in ``evidence.safetensors``."""

    kind: Literal["scan-image", "layer-profile"]
    """scan-image: array [layer, token]; layer-profile: array [layer]."""
    title: str
    caption: str
    measurement: str
    """Name of the measurement whose signal it shows."""
    array: str
    """Key of the array in the scan's tensors; NaN marks what was not captured."""
    layers: tuple[int, ...]
    tokens: tuple[str, ...] = ()
    unit: str = "z"
    band: str | None = None
    """Key of an array [2, layer] with the baseline's 5th and 95th percentile (layer-profile)."""
    band_label: str = ""


class Cost(Record):
    """What something took. Timing fields are the only ones that differ between equal scans."""

    seconds: Finite = 0.0
    tokens_read: int = 0
    """Tokens pushed through the subject (and reference) in forward passes; of a scan's step, as planned."""
    tokens_written: int = 0
    """Tokens generated; likewise."""
