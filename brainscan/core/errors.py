"""Every exception that brainscan raises on purpose, drawn as one tree.

    BrainscanError                exit code 3 unless said otherwise
    ├── UsageError                the command cannot mean what it says
    ├── MissingExtra              an optional package is not installed
    ├── SubjectError              the model cannot be used
    │   ├── SubjectNotFound       nothing at that id, path or short name
    │   ├── BrokenSubject         truncated, inconsistent or NaN weights, wrong hash
    │   ├── UnsafeSubject         opening it could run code (pickle, remote code)
    │   ├── MissingTokenizer      weights are there, the tokenizer is not
    │   ├── MissingChatTemplate   a chat was asked of a model that has no template
    │   └── UnknownFamily         the architecture has no row in the table of families
    ├── SiteError                 an address inside the model
    │   ├── UnknownSite           the spelling is not an address
    │   └── SiteUnavailable       this model cannot offer that site
    ├── InputError                a prompt or text cannot be used (empty, no Unicode)
    │   └── TooLong               a prompt is longer than the model reads
    ├── SelfCheckFailed           the numerical self-check did not hold   (exit code 2)
    ├── PlanError                 a plan or an instrument cannot run as asked
    ├── RecordError               a scan folder or a JSON record is broken or foreign
    ├── StorageError              the disk or the database refused
    └── PolicyError               a gate policy is not usable

Each message is one full sentence with the cause, followed by the next step.
"CANNOT TELL" is an outcome of a scan and never an exception.
"""

from __future__ import annotations


class BrainscanError(Exception):
    """Base of the tree. ``cause`` says what is wrong, ``next_step`` what to do about it."""

    exit_code = 3

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause} {next_step}".strip())
        self.cause = cause
        self.next_step = next_step


class UsageError(BrainscanError):
    """The command or call cannot mean what it says."""


class MissingExtra(BrainscanError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"This needs the package {package}, which is not installed.",
            f"Install it with: pip install 'brainscan[{extra}]'",
        )


class SubjectError(BrainscanError):
    """The model cannot be used."""


class SubjectNotFound(SubjectError):
    """Nothing was found at that id, path or short name."""


class BrokenSubject(SubjectError):
    """The weights are truncated, inconsistent, not finite, or have the wrong hash."""


class UnsafeSubject(SubjectError):
    """Opening the model could run code."""


class MissingTokenizer(SubjectError):
    """The weights are there, the tokenizer is not."""


class MissingChatTemplate(SubjectError):
    """A chat was asked of a model that has no chat template."""


class UnknownFamily(SubjectError):
    """The architecture has no row in the table of families and its structure is ambiguous."""


class SiteError(BrainscanError):
    """An address inside the model is wrong or cannot be offered."""


class UnknownSite(SiteError):
    """The spelling is not an address."""


class SiteUnavailable(SiteError):
    """This model cannot offer that site."""


class InputError(BrainscanError):
    """A prompt or text cannot be used."""


class TooLong(InputError):
    """A prompt is longer than the model reads."""


class SelfCheckFailed(BrainscanError):
    """The numerical self-check did not hold: nothing measured on this subject can be trusted."""

    exit_code = 2


class PlanError(BrainscanError):
    """A plan or an instrument cannot run as asked."""


class RecordError(BrainscanError):
    """A scan folder or a JSON record is broken, unfinished or from another program."""


class StorageError(BrainscanError):
    """The disk or the database refused."""


class PolicyError(BrainscanError):
    """A gate policy is not usable."""
