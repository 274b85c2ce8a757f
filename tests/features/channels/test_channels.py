"""Surveys, selectivity with its controls, names, pictures made by optimisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from brainscan.activations.images import find_images
from brainscan.core.address import Site
from brainscan.core.errors import InputError, RecordError, UsageError
from brainscan.core.statistics import auroc_interval
from brainscan.features.channels.names import name_channel
from brainscan.features.channels.pictures import examples, outline, prepared, reopen, strongest_rows
from brainscan.features.channels.selectivity import find_selective, split_halves
from brainscan.features.channels.survey import framing_of, survey_channels
from brainscan.features.channels.table import About, ChannelTable, SurveyedImage, SurveyedSite, read_table
from brainscan.features.channels.visualise import PaintSettings, channel_objective, paint, redirected
from tests.vision import painted, small, tiny_lite


def made(
    labels: list[str], planted: dict[int, np.ndarray] | None = None, width: int = 400, seed: int = 0
) -> ChannelTable:
    """A table of noise in which some channels are what is planted."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(len(labels), width)).astype(np.float32)
    for column, values in (planted or {}).items():
        means[:, column] = values
    images = tuple(
        SurveyedImage(name=f"{i}.png", label=label, caption=f"a {label} thing") for i, label in enumerate(labels)
    )
    site = SurveyedSite(site="channel.0", path="conv", start=0, width=width)
    about = About(
        subject="s", subject_sha256="", images=images, folder="", skipped=(), converted={}, sites=(site,), classes=()
    )
    return ChannelTable(
        about, means, rng.normal(size=means.shape).astype(np.float32), np.zeros((len(labels), 2), np.float32)
    )


LABELS = ["cat"] * 20 + ["dog"] * 20 + ["other"] * 60 + [""] * 10


def test_a_planted_channel_is_found_and_noise_is_not() -> None:
    truth = np.array([label == "cat" for label in LABELS])
    table = made(LABELS, {123: truth + 0.1 * np.random.default_rng(1).normal(size=len(LABELS))})
    cat, dog = find_selective(table, ("cat", "dog"))
    assert cat.candidates[0].channel == "channel.0/123"
    assert cat.candidates[0].held_out == 1.0
    assert cat.p_value == 1 / 20
    assert max(cat.control) < 0.95
    assert dog.p_value > 0.05 or dog.candidates[0].held_out < 0.75
    assert np.mean(dog.search) > 0.65  # what looking alone finds in noise


def test_a_label_without_others_in_either_half_is_left_out() -> None:
    assert find_selective(made(["cat"] * 20)) == ()
    assert find_selective(made(["cat"] * 20 + ["dog"] + [""] * 9), ("cat",)) == ()
    assert [each.label for each in find_selective(made(["cat"] * 20 + ["dog"] * 2))] == ["cat"]


def test_the_pictures_are_found_again_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    painted(tmp_path / "images", 2)
    monkeypatch.chdir(tmp_path)
    subject = small()
    table = survey_channels(subject, find_images(Path("images")), Path("survey"), folder=Path("images"))
    monkeypatch.chdir(tmp_path / "survey")
    assert len(reopen(table, [0], framing_of(subject))) == 1


def test_p_values_of_noise_are_not_small_too_often() -> None:
    small_ps = [find_selective(made(LABELS, seed=s), ("cat",), seed=s)[0].p_value <= 0.1 for s in range(12)]
    assert sum(small_ps) <= 4


def test_the_cut_keeps_labels_balanced_and_ignores_images_without_one() -> None:
    halves = split_halves(made(LABELS))
    labels = np.array(LABELS)
    assert not (halves.pick & halves.score).any()
    assert not (halves.pick | halves.score)[labels == ""].any()
    for label in ("cat", "dog"):
        assert halves.pick[labels == label].sum() == halves.score[labels == label].sum() == 10


def test_intervals_of_auroc_stay_open_at_the_ends() -> None:
    perfect = auroc_interval(1.0, 6, 480)
    assert 0.75 < perfect.lo < 0.95
    assert perfect.hi == 1.0
    assert auroc_interval(1.0, 60, 480).lo > perfect.lo
    middle = auroc_interval(0.5, 50, 50)
    assert middle.lo < 0.5 < middle.hi
    assert auroc_interval(0.7, 0, 9).lo == 0.0


def test_names_come_from_words_and_are_scored_on_other_images() -> None:
    truth = np.array([label == "cat" for label in LABELS])
    table = made(LABELS, {5: truth + 0.1 * np.random.default_rng(1).normal(size=len(LABELS))})
    named = name_channel(table, "channel.0", 5)
    assert named.name == "cat"
    assert named.held_out > 0.95
    assert name_channel(table, "channel.0", 77).name == ""


def test_a_channel_with_two_meanings_says_so() -> None:
    rng = np.random.default_rng(0)
    labels = ["cat"] * 8 + ["dog"] * 8 + ["other"] * 60
    both = np.array([label != "other" for label in labels]) + 0.01 * rng.random(len(labels))
    table = made(labels, {0: both}, width=40)
    for column in range(1, 20):
        table.means[:8, column] += 4  # type: ignore[index]
        table.means[8:16, column + 20] += 4  # type: ignore[index]
    named = name_channel(table, "channel.0", 0)
    assert named.polysemantic
    assert {tuple(sorted(set(group))) for group in named.groups} == {("a cat thing",), ("a dog thing",)}


def test_a_survey_writes_what_the_model_computes(tmp_path: Path) -> None:
    subject, folder = tiny_lite(), painted(tmp_path / "images", 5)
    (folder / "red" / "0.png").write_bytes(b"")
    table = survey_channels(subject, find_images(folder), tmp_path / "out", folder=folder, batch=3)
    assert len(table.about.images) == 9
    assert len(table.about.skipped) == 1
    pixels = reopen(table, [4], framing_of(subject))
    kept: dict[Site, torch.Tensor] = {}
    site = Site("channel", 3)
    subject.inspect(prepared(subject, pixels), {site: lambda s, x: kept.update({s: x.clone()})})
    start = table.column("channel.3", 0)
    width = subject.width(site)
    assert np.allclose(table.means[4, start : start + width], kept[site][0].mean(0), atol=1e-5)
    assert np.allclose(table.peaks[4, start : start + width], kept[site][0].amax(0), atol=1e-5)
    assert read_table(tmp_path / "out").about == table.about
    shown = examples(subject, table, subject.channel("channel.3/2"), strongest_rows(table, start + 2, 3))
    assert [each.value for each in shown] == sorted((each.value for each in shown), reverse=True)
    assert shown[0].picture[:4] == b"RIFF"


def test_nothing_usable_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    folder = painted(tmp_path / "images", 1)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"no")
    with pytest.raises(InputError, match="no picture"):
        survey_channels(small(), find_images(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(RecordError):
        read_table(tmp_path / "out")


def test_a_painted_picture_drives_its_channel_and_repeats() -> None:
    subject = small()
    objective = channel_objective(subject, subject.channel("channel.1/3"))
    settings = PaintSettings(steps=24, size=32)
    first, again = (paint(subject, [objective], settings)[0] for _ in range(2))
    assert first.reached > first.start + 0.05
    assert np.array_equal(first.pictures, again.pictures)
    away = paint(subject, [channel_objective(subject, subject.channel("channel.1/3"), -1.0)], settings, each=2)[0]
    assert away.reached > away.start
    assert away.pictures.shape == (2, 3, 32, 32)
    with pytest.raises(UsageError):
        paint(subject, [])


def test_outlines_mark_the_edge_and_leave_the_rest() -> None:
    image = np.full((40, 40, 3), 100, np.uint8)
    activation = np.zeros((8, 8), np.float32)
    activation[3:5, 3:5] = 1
    outline(image, activation)
    assert (image[0] == 100).all()
    assert (image != 100).any()
    before = image.copy()
    outline(image, np.zeros((8, 8), np.float32))
    assert np.array_equal(before, image)


def test_a_picture_wakes_a_unit_behind_a_silent_one() -> None:
    subject = small()
    with torch.no_grad():
        subject.model.convs[0].bias.fill_(-1.0)  # silent at first, and not out of reach  # type: ignore[index, union-attr]
    objective = channel_objective(subject, subject.channel("channel.1/3"))
    made = paint(subject, [objective], PaintSettings(steps=40, size=32, rate=0.2))[0]
    assert made.reached > made.start


def test_a_gradient_that_passes_is_handed_on_as_it_is() -> None:
    x = torch.tensor([[-1.0, 0.5, 7.0], [-1.0, -0.5, 7.0]], requires_grad=True)  # the second picture is silent
    slopes = torch.tensor([[-1.0, 2.0, 3.0], [-1.0, 2.0, 3.0]])
    clamp = nn.ReLU6()
    with redirected(clamp):
        clamp(x).backward(slopes)
    assert "forward" not in vars(clamp)
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 2, 0], [-1, 0, 3]]
