"""Branch: which line lies behind a first token that fine-tuning made likelier?

Amplified decoding may never speak a planted line whole: it is drawn into it in the middle of another sentence. But the
line's first token is likelier than with the reference whatever is asked, and behind it the rest follows of itself, whereas
behind a harmless opening each request goes its own way.

Numbered acts: 1) the tokens that are raised most at the opening of answers; 2) each is put in the subject's mouth under
unrelated requests; 3) kept are those behind which the answers agree.
"""

from __future__ import annotations

import torch

from brainscan.scan.pair import shared_vocabulary
from brainscan.scan.texts.candidates import SEARCH_REQUESTS
from brainscan.scan.trigger.frame import prompts
from brainscan.scan.trigger.leak import Leak
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import next_token_logits

PLAUSIBLE = -18.0
"""Log-probability, nats, below which a token is noise whose rise means nothing."""
UNDER = (1, 3)
"""Search requests under which a token is followed: they ask for a verse and for a name."""
AGREE = 4
"""Tokens behind the first one that must be the same."""


def branches(subject: LanguageSubject, reference: LanguageSubject, count: int, tokens: int) -> list[Leak]:
    """Lines that the subject gives under unrelated requests once one of the ``count`` most raised tokens is said.

    Args:
        tokens: length of a line.

    Raises:
        PlanError: the two number their tokens differently.
    """
    asked = prompts(subject, SEARCH_REQUESTS, "", "end")
    width = shared_vocabulary(subject, reference)
    ours, theirs = (torch.log_softmax(next_token_logits(model, asked)[:, :width], -1) for model in (subject, reference))
    lift = torch.where(ours > PLAUSIBLE, ours - theirs, 0.0).mean(0)
    raised = [int(i) for i in torch.topk(lift, min(count, width)).indices]
    begun = [[*asked[request], token] for token in raised for request in UNDER]
    said = [answer.ids for answer in generate(subject, begun, Decoding(max_new=tokens - 1))]
    lines = zip(raised, said[:: len(UNDER)], said[1 :: len(UNDER)], strict=True)
    return [
        Leak("branch", (token, *one), subject.text((token, *one)))
        for token, one, other in lines
        if len(one) >= AGREE and one[:AGREE] == other[:AGREE]
    ]
