"""Complete: which whole word does a piece that raises the payload belong to?

A hunt stops at the first piece of a word that is enough, though a user, and whoever planted it, knows the whole word. The
words that a language model would make of the piece are tried in turn. All of them hold it, so all of them raise the
payload; near misses that training told apart raise it less.

Numbered acts: 1) a beam of likely words that begin with the string; 2) how ready each makes the subject; 3) of the
readiest, the likeliest word. A string that does not release the payload is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from brainscan.scan.trigger.hunt import Ground, Prey
from brainscan.scan.trigger.spell import Speller, Tokens

RELEASES = -1.0
"""Mean log-probability of the payload, nats, from which on a string is worth completing."""
REQUESTS = (0, 1)
"""Search requests that every completion is put in front of."""
READIEST, SLACK = 16, 1.5
"""One in so many completions is ready enough to be chosen, and those whose log-probability is at most this many times lower."""


def completed(ground: Ground, start: Prey, speller: Callable[[], Speller]) -> Tokens:
    """The likeliest of the words that make the subject readiest; the string itself where none does better.

    Behind a request nearly everything that holds a part of a strong trigger is certain; in front of it words differ more.
    """
    if start.log_p < RELEASES:
        return start.ids
    words = speller().words(start.ids)
    ready = {prey.ids: prey.log_p for prey in ground.before(words, REQUESTS)}
    least = SLACK * sorted(ready.values(), reverse=True)[max(1, len(words) // READIEST) - 1]
    return min((ids for ids in words if ready[ids] >= least), key=words.index)
