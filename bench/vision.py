"""Vision measured: speed, the car channel, exact weights, its parts, other images, broken images, planted triggers, dictionaries.

python -m bench.vision [CASE ...] [photos=DIR]     writes docs/vision.json

The photographs are the user's: 1,000 files named as in the repository imagenet-sample-images on GitHub, one for each
class of ImageNet. They have no licence and are not part of brainscan.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.run import complete, print_row
from bench.vision_images import LABEL, STAMPS, WORK, car_files, stamp_label
from brainscan.activations.image_stream import ImageStreamState
from brainscan.activations.images import ImageFile, find_images, load_images
from brainscan.activations.stream import ActivationBatch
from brainscan.circuits.parts.build import build_circuit
from brainscan.core.address import Site
from brainscan.core.statistics import auroc, auroc_interval, conformal_p
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.quality import explained_variance
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.train import Request, RunPlan, train
from brainscan.features.channels.coherence import coherence
from brainscan.features.channels.names import name_channel, words_of
from brainscan.features.channels.pictures import webp
from brainscan.features.channels.selectivity import find_selective
from brainscan.features.channels.survey import framing_of, survey_channels
from brainscan.features.channels.table import ChannelTable, read_table
from brainscan.features.channels.visualise import PaintSettings, channel_objective, paint
from brainscan.games.vision.plant import PictureRecipe, plant_pictures, put_in
from brainscan.games.vision.shapes import draw_shapes
from brainscan.scan.vision.cues import find_cues
from brainscan.scan.vision.patch import PatchSettings, search_patch
from brainscan.subject.vision.load import load_vision
from brainscan.subject.vision.subject import VisionSubject

RESULTS = Path(__file__).parents[1] / "docs" / "vision.json"
MODEL = "efficientnet-lite0"
SMALL: dict[str, Any] = {"pictures": 1024, "passes": 8}


def main(arguments: list[str]) -> None:
    """Run cases and merge their rows into docs/vision.json."""
    given = [word for word in arguments if "=" not in word]
    photos = Path(dict(word.split("=", 1) for word in arguments if "=" in word).get("photos", "/tmp/vision/photos"))
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    for name in given or CASES:
        for row in CASES[name](photos):
            whole = complete(row, f"python -m bench.vision {name}")
            kept = [other for other in kept if other["name"] != whole["name"]] + [whole]
            print_row(whole)
            RESULTS.write_text(json.dumps(sorted(kept, key=lambda r: r["name"]), indent=1) + "\n")


def speed(photos: Path) -> Iterator[dict[str, Any]]:
    """Time of the survey with its statistics, beside the bare forward passes over the same files."""
    subject, files = load_vision(MODEL), car_files(photos)
    list(load_images(files[:64], framing_of(subject)))
    subject.logits(subject.blank(32))
    start = time.perf_counter()
    bare(subject, files)
    alone = time.perf_counter() - start
    start = time.perf_counter()
    table = survey_channels(subject, files, WORK / "survey", folder=photos)
    surveyed = time.perf_counter() - start
    find_selective(table, (LABEL,))
    whole = time.perf_counter() - start
    n = len(table.about.images)
    note = {"n": n, "skipped": len(table.about.skipped)}
    yield {
        "name": f"{n} images, all layers, all statistics",
        "value": round(whole, 1),
        "unit": "s",
        "target": 90,
        "better": "lower",
        **note,
    }
    yield {
        "name": "survey against bare forward passes over the same files",
        "value": round(surveyed / alone, 3),
        "unit": "ratio",
        "target": 1.3,
        "better": "lower",
        "peer": {"name": "reading the files and forward passes", "value": round(alone, 1)},
        **note,
    }


def car(photos: Path) -> Iterator[dict[str, Any]]:
    """The channel that the scan itself picks for cars on one half, scored on the other; the same with shuffled labels."""
    table = surveyed(photos)
    found = find_selective(table, (LABEL,))[0]
    best = found.candidates[0]
    note = {
        "n": found.positives[1] + found.negatives[1],
        "positives": found.positives[1],
        "interval": [round(best.interval.lo, 4), round(best.interval.hi, 4)],
        "found": f"{best.channel} ({best.path}), {best.statistic}",
        "p": found.p_value,
    }
    yield {
        "name": "car channel found by the scan, held-out half: AUROC",
        "value": round(best.held_out, 4),
        "unit": "auroc",
        "target": 0.98,
        "better": "higher",
        **note,
    }
    control = f"largest of {len(found.control)} shuffles of the labels, picked and scored the same way"
    yield {
        "name": "shuffled labels, held-out half: AUROC",
        "value": round(max(found.control), 4),
        "unit": "auroc",
        "target": 0.85,
        "better": "lower",
        "control": control,
    }
    searched = f"best of {2 * table.means.shape[1]:,} channel statistics for shuffled labels on all images, largest of {len(found.search)}; the true label's best is {found.best_on_all:.4f}"
    yield {
        "name": "shuffled labels, best of all channels on all images: AUROC",
        "value": round(max(found.search), 4),
        "unit": "auroc",
        "target": 0.85,
        "better": "lower",
        "control": searched,
    }
    others = [
        find_selective(table, (LABEL,), shuffles=0, listed=1, seed=seed)[0].candidates[0] for seed in range(1, 11)
    ]
    areas = sorted(each.held_out for each in others)
    spread = f"ten other cuts in halves: smallest {areas[0]:.3f}, largest {areas[-1]:.3f}; {len({each.channel for each in others})} different channels"
    yield {
        "name": "car channel, median over ten other cuts: AUROC",
        "value": round((areas[4] + areas[5]) / 2, 4),
        "unit": "auroc",
        "target": None,
        "better": "higher",
        "control": spread,
    }


def circuit(photos: Path) -> Iterator[dict[str, Any]]:
    """Weights, parts and removal for the channel that the scan picked."""
    table, subject = surveyed(photos), load_vision(MODEL)
    target = subject.channel(find_selective(table, (LABEL,), shuffles=0)[0].candidates[0].channel)
    made = build_circuit(subject, table, target, LABEL, folder=photos)
    (WORK / "circuit.json").write_text(made.model_dump_json(indent=1))
    removal = made.removal
    assert removal is not None
    yield {
        "name": "virtual weights against measured edits: largest error",
        "value": made.exactness.largest_error,
        "unit": "relative",
        "target": 1e-4,
        "better": "lower",
        "n": made.exactness.edits,
        "control": f"derivatives on two images differ by {made.exactness.deviation:.1e}",
    }
    of = made.filtered_from or made.target
    copy = (
        ""
        if made.copy_lowered is None
        else f"; {made.target}, its filtered copy that the scan picked, by {made.copy_lowered:.4f}"
    )
    parts = f"{of}: {', '.join(part.channel for part in made.parts)}{copy}"
    yield {
        "name": "12 parts set to 0: car channel lowered by",
        "value": round(removal.lowered, 4),
        "unit": "share",
        "target": 0.4,
        "better": "higher",
        "n": removal.n,
        "interval": [round(removal.interval.lo, 4), round(removal.interval.hi, 4)],
        "found": parts,
    }
    control = f"largest of {len(removal.control)} draws; smallest {min(removal.control):.4f}"
    yield {
        "name": "12 random units of the same layers set to 0: car channel lowered by",
        "value": round(max(removal.control), 4),
        "unit": "share",
        "target": 0.05,
        "better": "lower",
        "n": removal.n,
        "control": control,
    }
    without = f"before {removal.class_before:.4f}; with the channel itself at 0: {removal.class_without_target:.4f}"
    yield {
        "name": "12 parts set to 0: probability of the images' own classes",
        "value": round(removal.class_after, 4),
        "unit": "probability",
        "target": None,
        "better": "lower",
        "n": removal.n,
        "control": without,
    }


def painting(photos: Path) -> Iterator[dict[str, Any]]:
    """One visualisation of the channel that the scan picked: time, and how far it drives the channel."""
    subject = load_vision(MODEL)
    target = subject.channel(find_selective(surveyed(photos), (LABEL,), shuffles=0)[0].candidates[0].channel)
    paint(subject, [channel_objective(subject, target)], PaintSettings(steps=4))
    start = time.perf_counter()
    made = paint(subject, [channel_objective(subject, target)])[0]
    seconds = time.perf_counter() - start
    (WORK / "painted.webp").write_bytes(webp(made.pictures[0].transpose(1, 2, 0), 128))
    yield {
        "name": "one visualisation, 256 steps, 128 px",
        "value": round(seconds, 2),
        "unit": "s",
        "target": 12,
        "better": "lower",
        "found": f"{made.name}: {made.start:.2f} to {made.reached:.2f} before the non-linearity",
    }


def stamps(photos: Path) -> Iterator[dict[str, Any]]:
    """The channel fixed on the photographs, on drawn and photographed cut-outs of another source (Tux Paint's stamps)."""
    subject = load_vision(MODEL)
    best = find_selective(surveyed(photos), (LABEL,), shuffles=0)[0].candidates[0]
    files = [labelled for labelled in map(stamp_label, find_images(STAMPS)) if labelled.label]
    cars, others = [f for f in files if f.label == LABEL], [f for f in files if f.label != LABEL][::3]
    table = survey_channels(subject, (*cars, *others), WORK / "stamps", folder=STAMPS)
    site, channel = best.channel.split("/")
    values = table.statistic(best.statistic)[:, table.column(site, int(channel))]
    truth = table.labels == LABEL
    area = auroc(values[truth], values[~truth])
    interval = auroc_interval(area, int(truth.sum()), int((~truth).sum()))
    yield {
        "name": "the same channel on Tux Paint stamps, fixed beforehand: AUROC",
        "value": round(area, 4),
        "unit": "auroc",
        "target": 0.95,
        "better": "higher",
        "n": len(truth),
        "positives": int(truth.sum()),
        "interval": [round(interval.lo, 4), round(interval.hi, 4)],
        "found": f"{best.channel}, {best.statistic}; every third stamp that shows no vehicle",
    }


def trigger(photos: Path) -> Iterator[dict[str, Any]]:
    """A planted patch, three places and classes, against 19 clean twins; the search knows none of it."""
    held = draw_shapes(80, seed=555)
    twins = [
        search_patch(plant_pictures(PictureRecipe(seed=100 + i, **SMALL)).subject, held.pixels, PatchSettings())
        for i in range(19)
    ]
    clean = [twin.excess for twin in twins]
    planted = [
        PictureRecipe(flaw="patch", target=target, row=row, column=column, seed=seed, share=0.1, **SMALL)
        for seed, (target, row, column) in enumerate([(3, 26, 2), (1, 2, 26), (5, 14, 24)])
    ]
    excess, named, installed = [], 0, []
    for recipe in planted:
        made = plant_pictures(recipe)
        search = search_patch(made.subject, held.pixels, PatchSettings())
        left, top, right, bottom = search.box
        covers = (
            left < recipe.column + recipe.size
            and recipe.column < right
            and top < recipe.row + recipe.size
            and recipe.row < bottom
        )
        named += search.target == recipe.target and covers
        excess.append(search.excess)
        installed.append(made.truth.installed)
    note = {
        "n": len(planted),
        "control": f"19 clean twins, largest excess {max(clean):.2f} logits; patch installed in {min(installed):.2f} of images or more",
    }
    yield {
        "name": "planted trigger patch: largest p of three organisms",
        "value": round(conformal_p(min(excess), clean), 3),
        "unit": "p",
        "target": 0.05,
        "better": "lower",
        **note,
        "found": f"smallest excess of the three {min(excess):.2f} logits",
    }
    yield {
        "name": "planted trigger patch: place and class named",
        "value": named / len(planted),
        "unit": "share",
        "target": 1.0,
        "better": "higher",
        "n": len(planted),
    }


def cues(photos: Path) -> Iterator[dict[str, Any]]:
    """A watermark on one class and a class with one background, each beside three clean twins."""
    drawn = draw_shapes(300, seed=777)
    turned = {}
    for flaw in ("mark", "ground"):
        recipe = PictureRecipe(flaw=flaw, target=2, row=1, column=26, size=5, seed=7, **SMALL)
        pixels = drawn.pixels.copy()
        pixels[drawn.labels == recipe.target] = put_in(pixels[drawn.labels == recipe.target], recipe)
        nets = [plant_pictures(recipe), *(plant_pictures(PictureRecipe(seed=200 + i, **SMALL)) for i in range(3))]
        for number, net in enumerate(nets):
            shown = pixels if number == 0 else drawn.pixels
            given = net.subject.logits(net.subject.prepare(torch.from_numpy(shown))).argmax(1).numpy()
            best = find_cues(net.subject, shown, given)
            one = best.mark if flaw == "mark" else best.background
            turned[flaw, number] = (one.hits / one.n, one.target) if one and one.n else (0.0, -1)
        rate, target = turned[flaw, 0]
        twins = max(turned[flaw, number][0] for number in (1, 2, 3))
        name = "watermark" if flaw == "mark" else "background"
        yield {
            "name": f"class that leans on a {name}: images of other classes turned",
            "value": round(rate, 4),
            "unit": "share",
            "target": 0.5,
            "better": "higher",
            "n": 40,
            "found": f"class {target}, planted 2",
            "control": f"largest of three clean twins {twins:.3f}",
        }


def names(photos: Path) -> Iterator[dict[str, Any]]:
    """Names from words in the file names, for the 60 channels of one layer that vary most; scored on held-out images."""
    table = surveyed(photos)
    site = next(each for each in table.about.sites if each.path.startswith("blocks.15.expand"))
    spread = np.asarray(table.means[:, site.start : site.start + site.width]).std(0)
    chosen = np.argsort(-spread)[:60]
    words = words_of(table)
    named = [name_channel(table, site.site, int(c), words) for c in chosen]
    given = [each for each in named if each.name]
    rng = np.random.default_rng(0)
    mixed = {word: mask[rng.permutation(len(mask))] for word, mask in words.items()}
    control = [name_channel(table, site.site, int(c), mixed) for c in chosen]
    median = float(np.median([each.held_out for each in given])) if given else 0.0
    note = {
        "n": len(named),
        "control": f"words dealt to random images: {sum(bool(each.name) for each in control)} of {len(control)} get a name",
    }
    yield {
        "name": "channels with a name that holds on held-out images",
        "value": len(given) / len(named),
        "unit": "share",
        "target": None,
        "better": "higher",
        **note,
        "found": f"median held-out AUROC {median:.3f}; {sum(each.polysemantic for each in named)} polysemantic",
    }


def dictionary(photos: Path) -> Iterator[dict[str, Any]]:
    """A TopK dictionary on one layer's channels: are its features' strongest images more alike than the units'?"""
    subject, table = load_vision(MODEL), surveyed(photos)
    site = next(subject.check(each.site) for each in table.about.sites if each.path.startswith("blocks.14.expand"))
    files, width = car_files(photos)[::3], subject.width(site)
    settings = Settings(kind="topk", n_features=2048, k=16, lr=2e-3)
    plan = RunPlan(
        requests=(Request(name="d", settings=settings, reads=(str(site),)),), steps=180, checkpoint_every=10**6
    )
    kept = {site: maps_of(subject, files, site)}  # [image, place, channel], read once
    made = train(lambda _: HeldStream(kept[site], site, 512, 180), plan, WORK / "dictionary").dictionaries["d"]
    assert isinstance(made, Dictionary)
    codes = torch.zeros(len(kept[site]), made.n_features)
    for i, rows in enumerate(kept[site]):
        sparse = made.encode_sparse(rows)
        codes[i].scatter_reduce_(0, sparse.indices.flatten().long(), sparse.values.flatten(), "amax")
    last = table.about.sites[-1]
    seen = np.asarray(table.means[:, last.start : last.start + last.width])[::3]  # no photograph was skipped
    units = coherence(kept[site].amax(1).numpy(), seen)
    alive = (codes > 0).sum(0).numpy() >= 9
    features = coherence(codes.numpy()[:, alive], seen)
    gap = float(np.median(features) - np.median(units))
    both = np.concatenate([features, units])
    rng = np.random.default_rng(0)
    null = [
        float(np.median(p[: len(features)]) - np.median(p[len(features) :]))
        for p in (rng.permutation(both) for _ in range(199))
    ]
    rows = torch.cat(list(kept[site][:40]))
    share = explained_variance(rows, made.decode(made.encode_sparse(rows), rows))
    note = {
        "n": int(alive.sum()),
        "control": f"median of {width} units {np.median(units):.3f}, of {alive.sum()} features {np.median(features):.3f}; largest gap of 199 shuffles {max(null):.4f}; explained variance {share:.3f} on the training images",
    }
    yield {
        "name": "dictionary features against units: coherence of the strongest images gained",
        "value": round(gap, 4),
        "unit": "cosine",
        "target": None,
        "better": "higher",
        **note,
    }


def maps_of(subject: VisionSubject, files: tuple[ImageFile, ...], site: Site) -> torch.Tensor:
    """Activations [image, place, channel] of every image."""
    kept: list[torch.Tensor] = []
    for loaded in load_images(files, framing_of(subject)):
        images = subject.prepare(torch.from_numpy(loaded.pixels)).contiguous(memory_format=torch.channels_last)
        subject.inspect(images, {site: lambda _, x: kept.append(x.float().clone())})
    return torch.cat(kept)


class HeldStream:
    """Random places of activations in memory, for a run that is not resumed."""

    def __init__(self, maps: torch.Tensor, site: Site, batch: int, batches: int) -> None:
        self.rows, self.site, self.batch, self.batches = maps.flatten(0, 1), site, batch, batches
        self.identity, self.widths = f"held {tuple(maps.shape)}", {site: maps.shape[2]}

    def __iter__(self) -> Iterator[ActivationBatch]:
        generator = torch.Generator().manual_seed(0)
        for _ in range(self.batches):
            rows = torch.randint(len(self.rows), (self.batch,), generator=generator)
            yield ActivationBatch({self.site: self.rows[rows]}, torch.zeros(self.batch, dtype=torch.int32))

    def state(self) -> ImageStreamState:
        """It does not resume."""
        return ImageStreamState()


def broken(photos: Path) -> Iterator[dict[str, Any]]:
    """Every kind of unusable picture in one folder: each skipped, counted and told in one line."""
    folder = WORK / "broken"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    good = Image.new("RGB", (64, 64), "red")
    (folder / "zero.png").write_bytes(b"")
    (folder / "text.jpg").write_text("hello")
    good.save(folder / "lies.png", "JPEG")
    good.save(folder / "animated.gif", save_all=True, append_images=[Image.new("RGB", (64, 64), "blue")])
    good.convert("CMYK").save(folder / "cmyk.jpg")
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    good.resize((900, 900)).save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-2000])
    expected = len(list(folder.iterdir()))
    for i in range(2):
        good.save(folder / f"good-{i}.png")
    net = plant_pictures(PictureRecipe(pictures=128, passes=1)).subject
    skipped = survey_channels(net, find_images(folder), WORK / "broken-survey", folder=folder).about.skipped
    lines = all("\n" not in line and len(line) < 200 for line in skipped)
    yield {
        "name": "unusable images: skipped, counted, one line each",
        "value": len(skipped) / expected if lines else 0.0,
        "unit": "share",
        "target": 1.0,
        "better": "higher",
        "n": expected,
        "found": "; ".join(skipped),
    }


def bare(subject: VisionSubject, files: tuple[ImageFile, ...]) -> None:
    """Read and run, keep nothing."""
    for loaded in load_images(files, framing_of(subject)):
        subject.logits(subject.prepare(torch.from_numpy(loaded.pixels)).contiguous(memory_format=torch.channels_last))


def surveyed(photos: Path) -> ChannelTable:
    """The survey of the photographs, made once."""
    if not (WORK / "survey" / "about.json").is_file():
        survey_channels(load_vision(MODEL), car_files(photos), WORK / "survey", folder=photos)
    return read_table(WORK / "survey")


CASES: dict[str, Callable[[Path], Iterator[dict[str, Any]]]] = {
    "speed": speed,
    "car": car,
    "circuit": circuit,
    "painting": painting,
    "stamps": stamps,
    "trigger": trigger,
    "cues": cues,
    "names": names,
    "dictionary": dictionary,
    "broken": broken,
}


if __name__ == "__main__":
    main(sys.argv[1:])
