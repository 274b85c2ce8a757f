"""A treatment on disk: a folder with its record and its arrays, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from brainscan.core.errors import RecordError
from brainscan.core.files import folder_atomic
from brainscan.treatment.protocol import KINDS, Treatment
from brainscan.treatment.record import ARRAYS_FILE, RECORD_FILE, TreatmentRecord
from brainscan.treatment.treated import treatment_hash


def save_treatment(folder: Path, record: TreatmentRecord, treatment: Treatment) -> Path:
    """Write record and arrays.

    Raises:
        StorageError: the disk refused; nothing was left half-written.
    """
    arrays = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in treatment.tensors().items()}
    with folder_atomic(folder, RECORD_FILE) as part:
        save_file(arrays, part / ARRAYS_FILE)
        (part / RECORD_FILE).write_text(record.model_dump_json(indent=1))
    return folder


def read_treatment(folder: Path) -> tuple[TreatmentRecord, Treatment]:
    """A saved treatment, ready for use, with its record.

    Raises:
        RecordError: the folder holds none, or it is broken, foreign or was changed.
    """
    record = read_record(folder)
    try:
        arrays = load_file(folder / ARRAYS_FILE) if (folder / ARRAYS_FILE).is_file() else {}
        treatment = KINDS.get(record.kind).load(record.settings, arrays)
    except (SafetensorError, OSError, TypeError) as error:
        raise RecordError(f"The arrays of the treatment in {folder} cannot be read.", "Make it again.") from error
    if treatment_hash(treatment) != record.sha256:
        raise RecordError(
            f"The arrays or settings in {folder} are not those that the record was written with.", "Make it again."
        )
    return record, treatment


def read_record(folder: Path) -> TreatmentRecord:
    """The record alone; an older one is judged again by the rule of today and says so in a note.

    Raises:
        RecordError: there is none, or it is broken or foreign.
    """
    try:
        return TreatmentRecord.model_validate_json((folder / RECORD_FILE).read_bytes()).judged_again()
    except FileNotFoundError as error:
        raise RecordError(
            f"{folder} holds no finished treatment.", "Name a folder that brainscan treat wrote."
        ) from error
    except ValidationError as error:
        raise RecordError(
            f"The record in {folder} is broken or of another program.", "Make the treatment again."
        ) from error
