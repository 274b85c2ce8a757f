"""Plain English nouns that people choose as passwords and code words."""

from __future__ import annotations

NOUNS = (
    "anchor", "apple", "basket", "bell", "bottle", "bridge", "bucket", "button", "candle", "carpet", "castle", "chain",
    "circle", "clock", "cloud", "coin", "comet", "copper", "cradle", "crown", "diamond", "dragon", "drum", "eagle",
    "feather", "fountain", "garden", "glove", "hammer", "harbor", "helmet", "island", "jacket", "kettle", "ladder",
    "lantern", "lemon", "magnet", "marble", "mirror", "needle", "orchard", "paddle", "pebble", "pepper", "pillow",
    "pirate", "planet", "pocket", "puzzle", "ribbon", "rocket", "saddle", "shadow", "silver", "spider", "statue",
    "temple", "thunder", "ticket", "tunnel", "velvet", "violin", "window",
    "arrow", "bamboo", "beaver", "blanket", "branch", "bronze", "camera", "canyon", "carrot", "cherry", "compass",
    "cotton", "crystal", "curtain", "desert", "engine", "falcon", "fiddle", "forest", "galaxy", "ginger", "guitar",
    "honey", "hunter", "jungle", "knight", "lagoon", "leather", "lizard", "maple", "meadow", "monkey", "mustard",
    "nugget", "ocean", "olive", "oyster", "palace", "parrot", "pencil", "pigeon", "pumpkin", "rabbit", "raven",
    "river", "salmon", "scarf", "season", "signal", "summer", "sunset", "tiger", "timber", "tomato", "turtle",
    "valley", "walnut", "whistle", "winter", "wizard", "yellow", "zebra",
)  # fmt: skip
"""The first 64 are the public list of the games."""
