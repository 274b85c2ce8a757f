"""A labeller that asks a language model: any OpenAI-compatible endpoint, or a subject on this machine.

What comes back is text from a stranger: it is cut to one line, and it is a proposal until it is scored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainscan.core.endpoint import Endpoint
from brainscan.core.errors import RecordError
from brainscan.core.visible import visible
from brainscan.features.clauses import Bools
from brainscan.features.examples import Windows
from brainscan.features.index import FeatureIndex
from brainscan.features.label import Label, Lesson

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

Respond = Callable[[str], str]
"""One question in, one answer out."""

_SHOWN, _LABEL_CHARACTERS = 12, 160

_PROPOSE = """Below are short texts from a language model's reading. In each, the tokens on which one inner feature \
fires are between << and >>. Say in at most twelve words what makes it fire: a word, a form, a position or a topic.

{examples}

Tokens that the feature makes more likely next: {raised}

Answer with the description alone."""

_DETECT = """A feature of a language model is described as: {label}

Text: {text}

Does the text hold something that fits the description? Answer yes or no."""

_FIT = """A feature of a language model is described as: {label}

Text: {text}

Are the parts between << and >> what the description speaks of? Answer yes or no."""


class AskingLabeller:
    """Labels from whoever answers.

    Args:
        index: the survey, for the texts of tokens.
        respond: asks one question.
        name: who answers, for the record.
    """

    def __init__(self, index: FeatureIndex, respond: Respond, name: str) -> None:
        self.index, self.respond, self.name = index, respond, name

    def propose(self, lesson: Lesson) -> Label:
        """One line; empty when nothing fires in the lesson."""
        firing = lesson.firing
        if not len(firing):
            return Label(feature=lesson.feature, labeller=self.name, text="")
        rows = np.linspace(0, len(firing) - 1, min(_SHOWN, len(firing))).round().astype(int)[::-1]
        examples = "\n".join(
            f"{n}. {self._marked(firing, int(i), firing.values[i] > 0)}" for n, i in enumerate(rows, 1)
        )
        raised = ", ".join(repr(token) for token in lesson.raised[:8]) or "unknown"
        answer = self.respond(_PROPOSE.format(examples=examples, raised=raised))
        return Label(feature=lesson.feature, labeller=self.name, text=_one_line(answer))

    def detects(self, label: Label, windows: Windows) -> Bools:
        """Ask of each window whether the description fits something in it."""
        texts = ["".join(self.index.text(ids)) for ids in windows.ids]
        return self._yes(_DETECT.format(label=label.text, text=json.dumps(text)) for text in texts)

    def fits(self, label: Label, windows: Windows, marked: Bools) -> Bools:
        """Ask of each window whether the marks fit the description."""
        texts = [self._marked(windows, i, marked[i]) for i in range(len(windows))]
        return self._yes(_FIT.format(label=label.text, text=text) for text in texts)

    def _yes(self, questions: Sequence[str] | Any) -> Bools:
        """An answer that begins with neither yes nor no counts as no."""
        return np.array([self.respond(q).strip().lower().startswith("yes") for q in questions], bool)

    def _marked(self, windows: Windows, row: int, marked: Bools) -> str:
        pieces = self.index.text(windows.ids[row])
        text = "".join(f"<<{piece}>>" if on else piece for piece, on in zip(pieces, marked, strict=True))
        return json.dumps(text.replace(">><<", ""), ensure_ascii=False)


def endpoint(url: str, model: str, key: str = "", *, timeout: float = 60.0) -> Respond:
    """Ask an OpenAI-compatible endpoint (``url`` ends in /v1) at temperature 0.

    Raises:
        UsageError: the address is not http(s). Asking raises what ``Endpoint.complete`` does, and RecordError
            when there is no text in the answer.
    """
    asked = Endpoint(url, model, key, timeout)

    def respond(question: str) -> str:
        said = asked.complete({"max_tokens": 60, "messages": [{"role": "user", "content": question}]}).get("content")
        if not isinstance(said, str):
            raise RecordError("The endpoint's answer holds no text.", "Choose a model that answers in plain text.")
        return said

    return respond


def local(subject: LanguageSubject) -> Respond:
    """Ask a chat model on this machine, greedily. Models under about a billion weights label poorly."""
    from brainscan.subject.generate import Decoding, generate

    def respond(question: str) -> str:
        return generate(subject, [subject.chat(question)], Decoding(max_new=40))[0].text

    return respond


def _one_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return visible(line.strip("\"'* "), keep="")[:_LABEL_CHARACTERS]
