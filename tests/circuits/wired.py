"""A hand-wired model whose two hops are known: city at its token -> state in a neuron -> state moved -> capital in a neuron.

    token "D" -> neuron 0.5 -> head 1.0 -> neuron 2.9 -> next token "A"     (Dallas -> Texas -> Austin)
    token "O" -> neuron 0.6 -> head 1.0 -> neuron 2.10 -> next token "S"    (Oakland -> California -> Sacramento)

Neuron 0.3 listens to every filler token and writes where nothing reads. All other weights are 0, so attention is even.
"""

from __future__ import annotations

import torch

from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import D_MLP, D_MODEL, _card, tiny_model

PROMPT = "xDxx"
CITY, LAST = 1, 3
_CITY, _STATE, _MOVED, _CAPITAL = (0, 1), (2, 3), (4, 5), (6, 7)
_FILLER, _NOWHERE = 8, 9


def wired() -> LanguageSubject:
    """The model described above."""
    model, tokenizer = tiny_model("llama", tie_word_embeddings=False, num_key_value_heads=4)
    ids = {letter: tokenizer(letter)["input_ids"][0] for letter in "DOASx"}
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.fill_(1.0 if "norm" in name else 0.0)
        _wire_tokens(model, ids)
        _wire_mlp(
            model.model.layers[0].mlp, {5: (_CITY[0], _STATE[0]), 6: (_CITY[1], _STATE[1]), 3: (_FILLER, _NOWHERE)}
        )
        _wire_mlp(model.model.layers[2].mlp, {9: (_MOVED[0], _CAPITAL[0]), 10: (_MOVED[1], _CAPITAL[1])})
        attention = model.model.layers[1].self_attn
        for head_row, (state, moved) in enumerate(zip(_STATE, _MOVED, strict=True)):
            attention.v_proj.weight[head_row, state] = 1.0
            attention.o_proj.weight[moved, head_row] = 4.0
    return LanguageSubject(model, tokenizer, _card("llama", model))


def _wire_tokens(model: torch.nn.Module, ids: dict[str, int]) -> None:
    embedding, unembedding = model.get_input_embeddings().weight, model.get_output_embeddings().weight  # type: ignore[operator]
    embedding[:, _FILLER] = 1.0
    for letter, place in zip("DO", _CITY, strict=True):
        embedding[ids[letter], _FILLER] = 0.0
        embedding[ids[letter], place] = 1.0
    for letter, place in zip("AS", _CAPITAL, strict=True):
        unembedding[ids[letter], place] = 3.0


def _wire_mlp(mlp: torch.nn.Module, neurons: dict[int, tuple[int, int]]) -> None:
    assert max(neurons) < D_MLP and D_MODEL > _NOWHERE
    for neuron, (read, write) in neurons.items():
        mlp.gate_proj.weight[neuron, read] = 1.0  # type: ignore[union-attr, operator, index]
        mlp.up_proj.weight[neuron, read] = 1.0  # type: ignore[union-attr, operator, index]
        mlp.down_proj.weight[write, neuron] = 1.0  # type: ignore[union-attr, operator, index]
