"""One request on its way: what is to be generated, what came of it so far, and how its reader is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from brainscan.monitor.incident import Ending
from brainscan.monitor.record import Alarm, Verdict
from brainscan.monitor.run import Run
from brainscan.subject.generate import Decoding

UNREAD = 64
"""Events that a reader may leave unread before its answer has to wait."""


@dataclass(frozen=True)
class Piece:
    """Text that may be shown."""

    text: str


@dataclass(frozen=True)
class Raised:
    """A rule has raised an alarm."""

    alarm: Alarm


@dataclass(frozen=True)
class Done:
    """The answer has ended; nothing comes after this."""

    ending: Ending
    verdict: Verdict
    prompt_tokens: int
    answer_tokens: int
    incident: str | None
    """Id of the incident, if there is one."""


Event = Piece | Raised | Done


@dataclass(eq=False)
class Job:
    """A request. Everything but ``events`` belongs to the engine's thread once it was submitted."""

    id: str
    prompt: list[int]
    decoding: Decoding
    stops: tuple[str, ...]
    deadline: float
    loop: asyncio.AbstractEventLoop
    created_utc: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="microseconds"))
    events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    run: Run | None = None
    shown: str = ""
    """Text handed over so far."""
    held: str = ""
    """Text that is not shown before the whole answer has been judged."""
    alarms: int = 0
    """Alarms handed over so far."""
    score: float | None = None
    """Combined score of as much of the answer as calibration's answers had, for the drift alarm."""
    incident: str | None = None
    unread: int = 0

    def tell(self, event: Event) -> None:
        """Hand an event to the reader, from the engine's thread."""
        self.unread += 1
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)

    async def next(self) -> Event:
        """The next event, for the reader."""
        event = await self.events.get()
        self.unread -= 1
        return event

    @property
    def waits_for_reader(self) -> bool:
        """The reader is slow: nothing is generated until it has caught up."""
        return self.unread >= UNREAD

    def cancel(self) -> None:
        """The reader went away."""
        self.cancelled.set()


def cut(text: str, stops: tuple[str, ...]) -> tuple[str, bool]:
    """The text up to the first stop sequence, and whether there was one."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


def showable(text: str, stops: tuple[str, ...]) -> str:
    """The part of a growing text that no later token can change: no half character, no beginning of a stop sequence."""
    held = len(text) - len(text.rstrip("\ufffd"))
    for stop in stops:
        for size in range(min(len(stop) - 1, len(text)), held, -1):
            if text.endswith(stop[:size]):
                held = size
                break
    return text[: len(text) - held]


def usage(prompt: int, answer: int) -> dict[str, Any]:
    """Token counts as clients know them."""
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
