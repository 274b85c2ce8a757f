"""The only reader of the environment: where things lie and how many threads there are.

BRAINSCAN_CACHE     folder for models and calibrations   (default: the user's cache folder)
BRAINSCAN_STORE     database of scans, a path or a URL   (default: scans.sqlite in the user's data folder)
BRAINSCAN_THREADS   threads for the numbers              (default: OMP_NUM_THREADS, else torch decides)
BRAINSCAN_AGENT_URL, BRAINSCAN_AGENT_MODEL, BRAINSCAN_AGENT_KEY   endpoint of the agent that plays games
BRAINSCAN_TOKEN                                           bearer token that brainscan serve asks for
HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE                      nothing is downloaded when either is set
HF_HUB_CACHE, HF_HOME                                     where downloaded models lie
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs
from pydantic import Field

from brainscan.core.errors import UsageError
from brainscan.core.evidence import Record

STORE_FILE = "scans.sqlite"


class Environment(Record):
    """What the environment says, read once and passed on."""

    cache: Path
    """Folder for models, calibrations and unfinished scans. It may not exist yet."""
    store: str
    """Path or URL of the database of scans."""
    threads: int | None
    """Threads for the numbers; None leaves the choice to torch."""
    offline: bool
    """True: nothing is downloaded."""
    hub_cache: Path
    """Where the Hugging Face libraries keep downloaded models."""


def read_token(variables: Mapping[str, str] | None = None) -> str:
    """The bearer token that the server asks for; empty when none is set."""
    return (os.environ if variables is None else variables).get("BRAINSCAN_TOKEN", "").strip()


class AgentSettings(Record):
    """Where the agent that plays games is reached."""

    url: str
    model: str
    key: str = Field(default="", repr=False)


def read_agent(variables: Mapping[str, str] | None = None) -> AgentSettings:
    """The endpoint of the agent.

    Raises:
        UsageError: the address or the model is not set.
    """
    given = os.environ if variables is None else variables
    url, model = given.get("BRAINSCAN_AGENT_URL", "").strip(), given.get("BRAINSCAN_AGENT_MODEL", "").strip()
    if not (url and model):
        raise UsageError(
            "The agent has no endpoint.",
            "Set BRAINSCAN_AGENT_URL (for example http://localhost:8000/v1) and BRAINSCAN_AGENT_MODEL.",
        )
    return AgentSettings(url=url, model=model, key=given.get("BRAINSCAN_AGENT_KEY", "").strip())


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Read the environment, or the variables given instead of it.

    Raises:
        UsageError: a variable holds something that means nothing.
    """
    given = {name: value for name, value in (os.environ if variables is None else variables).items() if value.strip()}
    cache = given.get("BRAINSCAN_CACHE")
    return Environment(
        cache=_folder(cache) if cache else platformdirs.user_cache_path("brainscan"),
        store=given.get("BRAINSCAN_STORE") or str(platformdirs.user_data_path("brainscan") / STORE_FILE),
        threads=_threads(given),
        offline=any(_is_on(given.get(name, "")) for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")),
        hub_cache=_hub_cache(given),
    )


def _threads(given: Mapping[str, str]) -> int | None:
    """The first of the two variables that is set; OMP_NUM_THREADS may be a list, of which the first counts."""
    for name in ("BRAINSCAN_THREADS", "OMP_NUM_THREADS"):
        if name not in given:
            continue
        text = given[name].split(",")[0].strip()
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 4096):
            raise UsageError(f"{name} is {given[name]!r}, which is no number of threads.", "Set it to 1 or more.")
        return int(text[:9])
    return None


def _hub_cache(given: Mapping[str, str]) -> Path:
    if "HF_HUB_CACHE" in given:
        return _folder(given["HF_HUB_CACHE"])
    home = _folder(given["HF_HOME"]) if "HF_HOME" in given else Path("~/.cache/huggingface").expanduser()
    return home / "hub"


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:  # ~somebody without such a user
        raise UsageError(f"The folder {text!r} names an unknown user.", "Write the whole path.") from error


def _is_on(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}
