"""A subject from its spelling: found, checked, hashed, opened.

The phases, with their share of the progress: 1) find and fetch the folder (0 to 0.5), 2) check the
files, 3) hash them (0.6), 4) open weights and tokenizer (0.9), 5) apply the adapter and check that
every weight is a number, 6) write the card.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from brainscan.core.provenance import SubjectCard
from brainscan.subject.adapter import apply_adapter, check_adapter
from brainscan.subject.card import Files, write_card
from brainscan.subject.device import DeviceChoice, choose_device
from brainscan.subject.gguf import ABOUT, open_gguf
from brainscan.subject.hashes import file_hashes
from brainscan.subject.hub import hub_folder
from brainscan.subject.language import LanguageSubject
from brainscan.subject.opening import open_model, open_tokenizer
from brainscan.subject.packaged import pull
from brainscan.subject.progress import Progress, silent, stage
from brainscan.subject.source import Source, parse_source
from brainscan.subject.weights import TOKENIZER_FILES, check_finite, check_folder
