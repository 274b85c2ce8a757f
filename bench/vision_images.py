"""The images of the vision benchmark: photographs of the user's and stamps of a package, with their labels."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from brainscan.activations.images import ImageFile, find_images

WORK = Path("/tmp/brainscan-vision")
STAMPS = Path("/usr/share/tuxpaint/stamps")
"""Debian package tuxpaint-stamps-default."""
CAR_STAMPS = (
    "auto/beetle.png", "auto/sedan.png", "auto/sportscar2.png", "auto/truck.png", "race/indycar.png",
    "emergency/sedan_police.png",
)  # fmt: skip
LABEL = "car"
MEMBERS = (
    "beach_wagon", "cab", "convertible", "jeep", "limousine", "minivan", "Model_T", "pickup", "police_van", "racer",
    "sports_car", "ambulance",
)  # fmt: skip
"""Classes that are cars: the hyponyms of WordNet's motorcar, pickup and police van."""
NEAR = (
    "amphibian", "bobsled", "car_mirror", "car_wheel", "electric_locomotive", "fire_engine", "forklift", "freight_car", "garbage_truck",
    "go-kart", "golfcart", "grille", "half_track", "harvester", "horse_cart", "jinrikisha", "minibus", "moped",
    "motor_scooter", "moving_van", "oxcart", "passenger_car", "recreational_vehicle", "school_bus", "snowmobile", "snowplow",
    "steam_locomotive", "streetcar", "tank", "thresher", "tow_truck", "tractor", "trailer_truck", "trolleybus", "bullet_train",
)  # fmt: skip
"""Vehicles and parts of cars: neither for nor against."""


def car_files(photos: Path) -> tuple[ImageFile, ...]:
    """The photographs, labelled car, other, or nothing where that is unclear, from the class in their names."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "labels.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["file", "label", "caption"])
        for path in sorted(photos.glob("n*.JPEG")):
            name = path.stem.partition("_")[2]
            label = LABEL if name in MEMBERS else "" if name in NEAR else "other"
            rows.writerow([path.name, label, name.replace("_", " ")])
    return find_images(photos, WORK / "labels.csv")


def stamp_label(image: ImageFile) -> ImageFile:
    """car for six stamps, nothing for other vehicles, other for the rest."""
    is_car = image.name.removeprefix("vehicles/") in CAR_STAMPS
    label = LABEL if is_car else "" if image.name.startswith("vehicles/") else "other"
    return replace(image, label=label)
