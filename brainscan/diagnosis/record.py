"""How a diagnosis lies on disk: ``diagnosis.json`` beside the scan that it judges."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.files import write_atomic
from brainscan.core.visible import visible
from brainscan.diagnosis.finding import Diagnosis

DIAGNOSIS_FILE = "diagnosis.json"


def write_diagnosis(folder: Path, diagnosis: Diagnosis) -> None:
    """Write the diagnosis of the scan in this folder, in the place of an earlier one.

    Raises:
        StorageError: the disk refused; what was there before is still there.
    """
    write_atomic(Path(folder) / DIAGNOSIS_FILE, diagnosis.model_dump_json(indent=1))


def read_diagnosis(folder: Path) -> Diagnosis:
    """Read the diagnosis of the scan in this folder.

    Raises:
        RecordError: there is none, or one that this version cannot read.
    """
    path = Path(folder) / DIAGNOSIS_FILE
    if not path.is_file():
        raise RecordError(f"The scan in {folder} has not been judged.", "Run the same scan command again to judge it.")
    try:
        return Diagnosis.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = visible(".".join(str(part) for part in first["loc"]), keep="", limit=120) or "the file"
        raise RecordError(
            f"{path} is not a diagnosis that this version can read ({where}: {first['msg']}).",
            "Check the file, or run the same scan command again to judge the scan anew.",
        ) from error
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.", "Check who may read it.") from error
