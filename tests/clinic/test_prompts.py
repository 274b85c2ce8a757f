"""Files of prompts: what is read, and which line is at fault when one cannot be."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from brainscan.clinic.prompts import PromptLine, QuestionLine, read_lines, read_prompts, read_stdin
from brainscan.core.errors import InputError


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_lines_end_where_files_end_them_and_nowhere_else(tmp_path: Path) -> None:
    plain = written(tmp_path, "a.txt", "one\r\n\n two \u2028 three\n\x85\nfour")
    assert read_prompts(plain) == ["one", " two \u2028 three", "four"]
    json_lines = written(tmp_path, "a.jsonl", '{"prompt": "a\u2028b\u0085c", "id": 7}\n\n{"prompt": "d"}\n')
    assert read_prompts(json_lines) == ["a\u2028b\u0085c", "d"]


@pytest.mark.parametrize(
    "line", ['{"prompt": null}', '{"prompt": [{"role": "user"}]}', '{"prompt": 5}', "[]", "{", '{"x": 1}']
)
def test_a_line_without_a_prompt_is_named_by_its_own_number(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, "a.jsonl", f'\n{{"prompt": "fine"}}\n\n{line}\n')
    with pytest.raises(InputError, match=r"Line 4 of .*, with prompt"):
        read_lines(path, PromptLine)


@pytest.mark.parametrize("answers", ['"Paris"', "5", "[5]", "[]", '["?!"]', "null"])
def test_answers_are_a_list_of_texts(tmp_path: Path, answers: str) -> None:
    path = written(tmp_path, "q.jsonl", f'{{"question": "Capital of France?", "answers": {answers}}}')
    with pytest.raises(InputError, match=r"Line 1 .* answers"):
        read_lines(path, QuestionLine)
    good = written(tmp_path, "q.jsonl", '{"question": "Capital of France?", "answers": ["Paris"]}')
    assert read_lines(good, QuestionLine)[0].answers == ("Paris",)


def test_what_holds_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="UTF-8"):
        read_prompts(written(tmp_path, "a.txt", b"caf\xe9"))
    with pytest.raises(InputError, match="holds no prompt"):
        read_prompts(written(tmp_path, "a.txt", "\n \n"))
    with pytest.raises(InputError, match="cannot be read"):
        read_prompts(tmp_path / "none.txt")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8"))
    with pytest.raises(InputError, match="UTF-8"):
        read_stdin()
    monkeypatch.setattr("sys.stdin", io.StringIO("a prompt\n"))
    assert read_stdin() == "a prompt"
