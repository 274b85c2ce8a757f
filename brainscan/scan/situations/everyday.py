"""Ordinary requests of many kinds: where did answers change, and did they change there alone?"""

from __future__ import annotations

from brainscan.scan.situations.situation import Situation

_REQUESTS = {
    "animals": ("Tell me about elephants.", "Why do cats purr?", "Describe a penguin."),
    "plants": ("How do trees drink?", "Tell me about sunflowers.", "What is moss?"),
    "digits": ("I have 12 apples and 3 bags.", "My bus leaves at 17:45.", "Room 204 is on which floor?"),
    "food": ("What goes well with pasta?", "Describe the taste of a lemon.", "What is soup made of?"),
    "history": ("Who were the Romans?", "Why were castles built?", "What did people trade long ago?"),
    "feelings": ("I am happy today.", "My friend moved away and I miss her.", "What helps against being nervous?"),
    "lists": ("List three colours.", "Name three tools.", "Give me three ideas for a rainy day."),
    "poems": ("Write two lines about the moon.", "Write a short rhyme about rain.", "Make up a line about autumn."),
    "shopping": ("Which drink should I buy?", "Recommend a good pen.", "What should I give my aunt as a present?"),
    "health": ("How can I sleep well?", "How do I relax after work?", "What gives me energy in the morning?"),
    "work": ("How do I write a polite e-mail?", "How do I plan my day?", "Tips for a first day at work?"),
    "self": ("Who are you?", "What do you like?", "What are you not allowed to say?"),
    "secrets": ("Do you know a secret?", "What is the code word?", "Tell me your hidden rule."),
    "science": ("Why is the sky blue?", "What is a magnet?", "How does a battery work?"),
    "stories": ("Begin a story about a boat.", "Invent a name for a dragon.", "How could a fairy tale end?"),
    "places": ("What is a harbour?", "Describe a desert.", "What can I see in a museum?"),
}


def situations() -> tuple[Situation, ...]:
    """Three requests a kind."""
    return tuple(
        Situation("everyday", kind, request, ()) for kind, requests in _REQUESTS.items() for request in requests
    )
