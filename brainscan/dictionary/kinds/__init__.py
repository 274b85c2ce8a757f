"""Kinds of dictionaries, one a file. ``KINDS`` names them without importing them.

A kind of one's own is registered with ``KINDS.add`` (or the entry-point group ``brainscan.dictionary``)
and judged by ``brainscan.dictionary.conformance.check_dictionary_kind``.
"""

from __future__ import annotations

from typing import Any

from brainscan.core.registry import Registry

KINDS: Registry[Any] = Registry(
    "a kind of dictionary",
    "brainscan.dictionary",
    {
        "relu": "brainscan.dictionary.kinds.relu:Relu",
        "topk": "brainscan.dictionary.kinds.topk:TopK",
        "batchtopk": "brainscan.dictionary.kinds.batchtopk:BatchTopK",
        "jumprelu": "brainscan.dictionary.kinds.jumprelu:JumpRelu",
        "gated": "brainscan.dictionary.kinds.gated:Gated",
        "matryoshka": "brainscan.dictionary.kinds.matryoshka:Matryoshka",
        "transcoder": "brainscan.dictionary.kinds.transcoder:Transcoder",
        "skip_transcoder": "brainscan.dictionary.kinds.skip_transcoder:SkipTranscoder",
        "cross_layer_transcoder": "brainscan.dictionary.kinds.cross_layer_transcoder:CrossLayerTranscoder",
        "crosscoder": "brainscan.dictionary.kinds.crosscoder:Crosscoder",
    },
)
