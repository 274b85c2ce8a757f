"""Branch: which line lies behind the first token of an answer?

Amplified decoding may never speak a planted line whole: it is drawn into it in the middle of another sentence. But put
the line's first token in the subject's mouth, and the rest follows of itself whatever was asked, word for word, where the
reference would have gone on in any other way. The first token itself need not be likelier than it was.

Numbered acts: 1) tokens that may open an answer: the likeliest ones, and those that fine-tuning raised most; 2) of these
the ones behind which the subject is sure of the next token under unrelated requests, and the reference is not; 3) they are
followed; 4) kept are those behind which the answers agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from brainscan.scan.pair import shared_vocabulary
from brainscan.scan.texts.candidates import SEARCH_REQUESTS
from brainscan.scan.trigger.frame import prompts
from brainscan.scan.trigger.leak import Leak
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import next_token_logits
from brainscan.subject.tree import TokenTree, reads_trees, tree_logits

PLAUSIBLE = -18.0
"""Log-probability, nats, below which a token is noise whose rise means nothing."""
LIKELY = 512
"""How many of the likeliest first tokens are looked behind."""
SURE, UNSURE = -0.7, -2.5
"""Log-probability, nats, of the second token: the subject's at least and the reference's at most."""
UNDER = (1, 3)
"""Search requests under which a token is followed: they ask for a verse and for a name."""
AGREE = 4
"""Tokens behind the first one that must be the same."""
_ROWS = 256


def branches(subject: LanguageSubject, reference: LanguageSubject, count: int, tokens: int) -> list[Leak]:
    """Lines that the subject gives under unrelated requests once their first token is said, the most surprising first.

    Args:
        count: first tokens that are followed, at most; as many of the most raised ones are looked behind.
        tokens: length of a line.

    Raises:
        PlanError: the two number their tokens differently.
    """
    asked = prompts(subject, SEARCH_REQUESTS, "", "end")
    width = shared_vocabulary(subject, reference)
    ours, theirs = (torch.log_softmax(next_token_logits(model, asked)[:, :width], -1) for model in (subject, reference))
    lift = torch.where(ours > PLAUSIBLE, ours - theirs, 0.0).mean(0)
    raised = torch.topk(lift, min(count, width)).indices.tolist()
    likely = torch.topk(ours.mean(0), min(LIKELY, width)).indices.tolist()
    under = [asked[request] for request in UNDER]
    sure = _sure(subject, reference, under, raised, likely)[:count]
    begun = [[*prompt, token] for token in sure for prompt in under]
    said = [answer.ids for answer in generate(subject, begun, Decoding(max_new=tokens - 1))]
    lines = zip(sure, said[:: len(UNDER)], said[1 :: len(UNDER)], strict=True)
    return [
        Leak("branch", (token, *one), subject.text((token, *one)))
        for token, one, other in lines
        if len(one) >= AGREE and one[:AGREE] == other[:AGREE]
    ]


def _sure(
    subject: LanguageSubject,
    reference: LanguageSubject,
    under: Sequence[Sequence[int]],
    raised: Sequence[int],
    likely: Sequence[int],
) -> list[int]:
    """Tokens behind which the subject is sure of one next token under every prompt, the reference's least sure ones first.

    Of tokens that are not raised the reference must be unsure: the rest of a common word is no line.
    """
    tokens = list(dict.fromkeys((*raised, *likely)))
    tops = [_behind(subject, prompt, tokens).max(-1) for prompt in under]
    best, following = torch.stack([top.values for top in tops]), torch.stack([top.indices for top in tops])
    same = (following == following[0]).all(0) & (best.min(0).values >= SURE)
    kept = [i for i, each in enumerate(same.tolist()) if each]
    if not kept:
        return []
    theirs = torch.stack([_behind(reference, prompt, [tokens[i] for i in kept]) for prompt in under])
    known = theirs.gather(2, following[:, kept, None])[..., 0].max(0).values  # [kept]
    order = [(i, kept[i]) for i in known.argsort().tolist()]
    return [tokens[at] for i, at in order if at < len(raised) or known[i] <= UNSURE]


def _behind(model: LanguageSubject, prompt: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
    """Log-probabilities [token, vocab] of what follows each token said after a prompt; the prompt is read once."""
    rows = [[*prompt, token] for token in tokens]
    if not reads_trees(model, len(prompt) + 1):
        return torch.log_softmax(next_token_logits(model, rows), -1)
    parts = []
    for start in range(0, len(rows), _ROWS):
        tree = TokenTree.of(rows[start : start + _ROWS])
        ends = [path[-1] for path in tree.paths]
        with torch.no_grad():
            parts.append(torch.log_softmax(tree_logits(model, tree, ends).float().cpu(), -1))
    return torch.cat(parts)
