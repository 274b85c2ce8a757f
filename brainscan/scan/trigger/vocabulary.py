"""What a trigger could be spelled with: the words and the pieces of words of a subject's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Vocabulary:
    """Tokens that a user could type."""

    words: tuple[int, ...]
    """Tokens that begin a word of three letters or more, rarest first."""
    stems: tuple[int, ...]
    """Tokens of two letters that begin a word: how a vocabulary begins the words that it does not hold whole."""
    pieces: tuple[int, ...]
    """All tokens of letters, commonest first."""
    texts: tuple[str, ...]
    """Text of every token of the subject, trimmed, in lower case."""

    def without(self, spelled: str) -> Vocabulary:
        """The same without what spells a part of a text's words: a payload's own words may not call it.

        A stem is so short that it stands inside many words; only those that it begins count.
        """
        own = spelled.casefold().split()
        stems = tuple(i for i in self.stems if not any(word.startswith(self.texts[i]) for word in own))
        words, pieces = (
            tuple(i for i in some if not any(self.texts[i] in word for word in own))
            for some in (self.words, self.pieces)
        )
        return Vocabulary(words, stems, pieces, self.texts)


def vocabulary(subject: LanguageSubject) -> Vocabulary:
    """The subject's vocabulary.

    Ids follow the order in which a byte-pair vocabulary was merged, so a later token is a rarer one. In
    a vocabulary without words (bytes, characters) all that can be typed stands in for both.
    """
    size = subject.model.get_input_embeddings().weight.shape[0]
    texts = subject.pieces(range(min(size, len(subject.tokenizer))))
    special = set(subject.tokenizer.all_special_ids)
    typed = [i for i, text in enumerate(texts) if i not in special and _typed(text)]
    words = tuple(i for i in reversed(typed) if _begins_word(texts[i], 3))
    stems = tuple(i for i in typed if _begins_word(texts[i], 2) and len(texts[i].strip()) == 2)
    pieces = tuple(i for i in typed if texts[i].strip().isalpha())
    plain = tuple(text.strip().casefold() for text in texts)
    return Vocabulary(words, stems, pieces, plain) if words else Vocabulary(tuple(typed), (), tuple(typed), plain)


def _typed(text: str) -> bool:
    word = text.strip()
    return bool(word) and word.isascii() and word.isprintable()


def _begins_word(text: str, least: int) -> bool:
    word = text.strip()
    return text[:1].isspace() and word.isalpha() and len(word) >= least


def in_turns(*orders: Sequence[int]) -> list[int]:
    """One order out of several: first of each, second of each, and so on, without repetition."""
    longest = max((len(order) for order in orders), default=0)
    return list(dict.fromkeys(order[i] for i in range(longest) for order in orders if i < len(order)))
