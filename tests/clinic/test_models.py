"""The verbs on models know the cache that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.clinic.models import list_models, model_path, pull_model
from brainscan.core.errors import SubjectNotFound
from brainscan.subject.vision.load import save_vision
from tests.phantoms import tiny_llama
from tests.vision import small


def test_the_list_says_what_is_here(tmp_path: Path) -> None:
    tiny_llama(tmp_path / "cache" / "models" / "organism")
    listed = {model.name: model for model in list_models()}
    assert list(listed) == ["smollm2-135m-instruct", "gemma-3-270m", "organism"]
    assert [model.present for model in listed.values()] == [False, False, True]
    assert listed["organism"].folder == str(tmp_path / "cache" / "models" / "organism")
    assert "Gemma Terms" in listed["gemma-3-270m"].licence


def test_a_fetched_classifier_is_no_language_model(tmp_path: Path) -> None:
    save_vision(tmp_path / "cache" / "models" / "efficientnet-lite0", "small", {"classes": 4}, small())
    assert [model.name for model in list_models()] == ["smollm2-135m-instruct", "gemma-3-270m"]
    with pytest.raises(SubjectNotFound):
        model_path("efficientnet-lite0")


def test_a_path_is_checked_before_it_is_given(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    assert model_path(str(folder)) == folder.resolve()
    with pytest.raises(SubjectNotFound):
        model_path(str(tmp_path / "n"))


def test_offline_in_the_environment_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SubjectNotFound, match="asked to stay offline"):
        pull_model("smollm2-135m-instruct")
