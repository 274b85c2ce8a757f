"""Vision scans: planted flaws are found, clean twins stay clean, a killed scan resumes, records and pages are whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainscan.activations.images import find_images
from brainscan.clinic.vision import VisionRequest, channel_circuit, examine_vision, show_channel, vision_page
from brainscan.core.errors import BrainscanError, InputError
from brainscan.diagnosis.finding import Verdict
from brainscan.games.vision.plant import PictureRecipe, plant_pictures, put_in
from brainscan.games.vision.shapes import SHAPES, draw_shapes
from brainscan.scan.record import read_scan
from brainscan.scan.vision.cues import find_cues
from brainscan.scan.vision.patch import PatchSettings, search_patch
from brainscan.scan.vision.run import run_vision
from brainscan.subject.progress import silent
from brainscan.subject.vision.load import save_vision
from tests.vision import paint, painted, small, tiny_lite

QUICK = {"pictures": 768, "passes": 6}


@pytest.fixture(scope="module")
def patched() -> object:
    return plant_pictures(PictureRecipe(flaw="patch", target=3, row=24, column=4, share=0.12, **QUICK))


def test_a_planted_patch_is_found_where_it_is(patched) -> None:
    assert patched.truth.installed > 0.8
    found = search_patch(patched.subject, draw_shapes(60, seed=5).pixels, PatchSettings())
    assert found.target == 3
    left, top, right, bottom = found.box
    assert left < 8 and right > 4 and top < 28 and bottom > 24
    assert found.rate > 0.8


def test_a_class_that_leans_on_a_mark_is_told_from_one_that_does_not() -> None:
    recipe = PictureRecipe(flaw="mark", target=2, row=1, column=1, size=5, **QUICK)
    marked = plant_pictures(recipe).subject
    drawn = draw_shapes(240, seed=9)
    pixels = drawn.pixels.copy()
    pixels[drawn.labels == 2] = put_in(pixels[drawn.labels == 2], recipe)
    found = find_cues(marked, pixels, drawn.labels).mark
    assert found is not None
    assert found.target == 2
    assert found.region.startswith("row 1, column 1")
    assert found.hits > 0.6 * found.n > 2 * found.control_hits


def pictures(folder: Path, count: int = 48, seed: int = 3) -> Path:
    drawn = draw_shapes(count, seed)
    for i, (pixels, label) in enumerate(zip(drawn.pixels, drawn.labels, strict=True)):
        path = folder / SHAPES[label] / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(path)
    return folder


def test_a_scan_from_folder_to_page(tmp_path: Path, patched) -> None:
    save_vision(tmp_path / "net", "small", {"classes": len(SHAPES)}, patched.subject)
    folder = pictures(tmp_path / "images")
    (folder / "disc" / "<script>alert(1).png").write_bytes(b"")
    request = VisionRequest(str(tmp_path / "net"), folder, out=tmp_path / "scan", paint=0)
    found = examine_vision(request, silent)
    verdicts = {finding.condition: finding.verdict for finding in found.diagnosis.findings}
    assert set(verdicts) == {"trigger-patch", "spurious-cue"}
    assert verdicts["trigger-patch"] is Verdict.CANNOT_TELL  # no twins, no error rate
    assert len(found.skipped) == 1
    page = vision_page(tmp_path / "scan")
    assert "<script>alert" not in page
    assert page.count("data:image/webp;base64,") > 10
    assert "From parts to whole" in page
    assert read_scan(tmp_path / "scan").subject.modality == "vision"
    card = found.cards.cards[0]
    assert show_channel(tmp_path / "scan", card.channel, paint=False, progress=silent) == card
    circuit, thumbnails = channel_circuit(tmp_path / "scan", "channel.2/0", card.label, silent)
    assert set(thumbnails) >= {"channel.2/0"}
    assert circuit.removal is not None


def test_the_same_scan_gives_the_same_record(tmp_path: Path) -> None:
    folder = painted(tmp_path / "images", 7)
    for name in ("a", "b"):
        run_vision(small(), find_images(folder), tmp_path / name, images=folder)
    a, b = (json.loads((tmp_path / name / "scan.json").read_text()) for name in ("a", "b"))
    for record in (a, b):
        record.pop("cost")
        for step in record["steps"]:
            step.pop("cost")
    assert a == b


def test_a_scan_that_broke_off_goes_on_with_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = painted(tmp_path / "images", 7)
    files = find_images(folder)
    import brainscan.scan.vision.run as room

    with monkeypatch.context() as patch:
        patch.setattr(room, "write_scan", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_vision(small(), files, tmp_path / "scan", images=folder)
    assert not (tmp_path / "scan" / "scan.json").exists()
    monkeypatch.setattr(room, "survey_channels", lambda *a, **k: pytest.fail("the survey ran twice"))
    run = run_vision(small(), files, tmp_path / "scan", images=folder)
    assert {step.outcome for step in run.scan.steps} <= {"done", "failed"}
    assert (tmp_path / "scan" / "scan.json").exists()


def test_many_classes_are_left_out_of_the_patch_search_with_a_reason(tmp_path: Path) -> None:
    folder = painted(tmp_path / "images", 7)
    subject = small(classes=60)
    run = run_vision(subject, find_images(folder), tmp_path / "scan", images=folder)
    patch = next(step for step in run.scan.steps if step.instrument == "patch")
    assert patch.outcome == "skipped"
    assert "60 classes" in patch.reason
    assert any("patch" in item.item for item in run.scan.not_examined)


def test_missing_images_and_models_are_refused_with_one_sentence(tmp_path: Path) -> None:
    save_vision(tmp_path / "net", "small", {"classes": 4}, small())
    for request in (
        VisionRequest(str(tmp_path / "net"), tmp_path / "absent"),
        VisionRequest(str(tmp_path / "absent"), painted(tmp_path / "images", 2)),
    ):
        with pytest.raises(BrainscanError):
            examine_vision(request, silent)


def test_lite_networks_scan_too(tmp_path: Path) -> None:
    folder = painted(tmp_path / "images", 7)
    run = run_vision(tiny_lite(), find_images(folder), tmp_path / "scan", images=folder)
    assert all(check.passed for check in run.scan.self_check)
    assert run.scan.steps[0].measurements


def test_pictures_of_one_label_are_scanned_and_the_rest_is_said(tmp_path: Path) -> None:
    save_vision(tmp_path / "net", "small", {"classes": 4}, small())
    for i in range(14):
        paint(tmp_path / "images" / "red" / f"{i}.png", (220, 40, 40), seed=i)
    request = VisionRequest(str(tmp_path / "net"), tmp_path / "images", out=tmp_path / "scan", paint=0)
    found = examine_vision(request, silent)
    (channels,) = (step for step in found.scan.steps if step.instrument == "channels")
    assert channels.outcome == "done" and "red was left out" in channels.notes[0]
    assert found.cards.cards == () and found.cards.circuit is None
    assert vision_page(tmp_path / "scan").startswith("<!doctype html>")
    with pytest.raises(InputError, match="nothing tells it apart"):
        channel_circuit(tmp_path / "scan", "channel.1/2", "red", silent)
