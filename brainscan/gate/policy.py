"""A gate policy: what a release engineer accepts, read from a TOML file.

Unknown keys are refused, because a misspelt bound that is silently ignored would let a model pass.
Names of conditions and measurements are checked later, against the scan (``decide.py``).
"""

from __future__ import annotations

import difflib
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StringConstraints, ValidationError, model_validator

from brainscan.core.errors import PolicyError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_json
from brainscan.core.visible import visible

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
OnFlagged = Literal["fail", "warn"]
OnUnsure = Literal["cannot-tell", "pass", "fail"]

_LARGEST_FILE = 1 << 20


class GateRules(Record):
    """``[gate]``: what each verdict means for the release, unless a condition says otherwise."""

    on_flagged: OnFlagged = "fail"
    on_cannot_tell: OnUnsure = "cannot-tell"
    on_not_assessed: OnUnsure = "cannot-tell"
    require: tuple[Name, ...] = ()
    """Conditions that need a definite verdict (flagged or clear): ``pass`` above does not excuse them."""
    require_self_check: StrictBool = True
    """A scan whose numerical self-check is missing or failed can tell nothing."""
    max_age_days: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    """An older scan can tell nothing."""


class ConditionRule(Record):
    """``[conditions.NAME]``: an exception for one condition, open-ended or up to a day."""

    on_flagged: OnFlagged | None = None
    on_cannot_tell: OnUnsure | None = None
    on_not_assessed: OnUnsure | None = None
    max_score: Number | None = None
    """Fail above this score whatever the verdict; 1 is the smallest effect of interest."""
    max_p: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] | None = None
    """A flag with a larger p-value cannot fail the gate, nor pass it: cannot tell. A flag without one always counts."""
    until: Annotated[date, Field(strict=True)] | None = None
    """Last day (UTC) of this exception. After it the ``[gate]`` rules apply again."""
    reason: Annotated[str, StringConstraints(max_length=500)] = ""
    """Why the exception was granted; printed with the decision."""


class Bound(Record):
    """``[measurements."NAME"]``: limits that the pessimistic end of the interval must keep."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Bound:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is larger than max")
        return self


class Policy(Record):
    """Everything a gate may ask. ``Policy()`` is the built-in policy."""

    gate: GateRules = GateRules()
    conditions: dict[Name, ConditionRule] = {}
    measurements: dict[Name, Bound] = {}

    def sha256(self) -> str:
        """Hash of the rules, so that a decision says by which policy it was made."""
        return sha256_of_json(self.model_dump(mode="json"))


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: the file is missing, is not TOML, or holds a key or value that means nothing.
    """
    return parse_policy(_read_text(Path(path)), str(path))


def parse_policy(text: str, source: str) -> Policy:
    """Read a policy from TOML text; ``source`` is named in errors.

    Raises:
        PolicyError: the text is not TOML, or holds a key or value that means nothing.
    """
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The policy {source} is not valid TOML: {visible(str(error))}.", _EXAMPLE) from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, ValidationError):
            raise _explain(error.errors()[0], source) from error
        raise PolicyError(f"The policy {source} is too deep or holds a number that is too long.", _EXAMPLE) from error


_EXAMPLE = "Compare it with examples/policy.toml."


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise PolicyError(f"There is no policy file at {path}.", "Name a TOML file such as examples/policy.toml.")
        if path.stat().st_size > _LARGEST_FILE:
            raise PolicyError(
                f"The policy {path} is larger than 1 MiB.", "Name a policy file, not a record or a model."
            )
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(f"The policy {path} is not UTF-8 text.", "Save it as UTF-8.") from error
    except OSError as error:
        raise PolicyError(f"The policy {path} cannot be read: {error.strerror}.", "Check the path.") from error


def _explain(problem: Any, source: str) -> PolicyError:
    """One sentence for pydantic's first complaint, with the closest valid key for an unknown one."""
    location = [str(part) for part in problem["loc"]]
    where = visible(".".join(location), keep="", limit=120) or "the file"
    if problem["type"] == "extra_forbidden":
        valid = _valid_keys(location[:-1])
        return PolicyError(
            f"The policy {source} has an unknown key {where}.", f"{did_you_mean(location[-1], valid)}{_listed(valid)}"
        )
    message = problem["msg"].removeprefix("Value error, ")
    return PolicyError(f"The policy {source} has a value at {where} that means nothing: {message}.", _EXAMPLE)


def _valid_keys(table: list[str]) -> list[str]:
    tables: dict[str, type[Record]] = {"gate": GateRules, "conditions": ConditionRule, "measurements": Bound}
    record = tables[table[0]] if table else Policy
    return list(record.model_fields)


def _listed(names: list[str]) -> str:
    return f"The valid ones are: {', '.join(names)}."


def did_you_mean(name: str, valid: list[str]) -> str:
    """ "Did you mean X? " when a valid name is close, else nothing."""
    close = difflib.get_close_matches(name[:200], valid, n=1, cutoff=0.5)
    return f"Did you mean {visible(close[0], keep='')}? " if close else ""
