"""The environment, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.clinic.environment import read_environment
from brainscan.core.errors import UsageError


def test_nothing_set_gives_the_users_own_folders() -> None:
    environment = read_environment({})
    assert environment.cache.is_absolute() and environment.cache.name == "brainscan"
    assert environment.store.endswith("scans.sqlite")
    assert (environment.threads, environment.offline) == (None, False)
    assert environment.hub_cache.name == "hub"


def test_everything_set(tmp_path: Path) -> None:
    environment = read_environment(
        {
            "BRAINSCAN_CACHE": str(tmp_path),
            "BRAINSCAN_STORE": "postgresql://host/scans",
            "BRAINSCAN_THREADS": "3",
            "OMP_NUM_THREADS": "7",
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": "~/hf",
        }
    )
    assert environment.cache == tmp_path
    assert environment.store == "postgresql://host/scans"
    assert (environment.threads, environment.offline) == (3, True)
    assert environment.hub_cache == Path("~/hf/hub").expanduser()


def test_blank_is_unset_and_a_relative_folder_becomes_whole() -> None:
    assert read_environment({"BRAINSCAN_CACHE": " "}) == read_environment({})
    assert read_environment({"BRAINSCAN_CACHE": "here"}).cache == Path.cwd() / "here"
    assert not read_environment({"HF_HUB_OFFLINE": "0"}).offline
    assert read_environment({"OMP_NUM_THREADS": "4,2"}).threads == 4


@pytest.mark.parametrize("threads", ["0", "-1", "many", "1e3", "²", "9" * 50])
def test_a_senseless_number_of_threads_is_refused(threads: str) -> None:
    with pytest.raises(UsageError, match="BRAINSCAN_THREADS"):
        read_environment({"BRAINSCAN_THREADS": threads})


def test_an_unknown_user_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown user"):
        read_environment({"BRAINSCAN_CACHE": "~no-such-user-here/x"})
