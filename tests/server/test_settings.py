"""Where the server may listen, and what it does without its packages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brainscan.core.errors import UsageError
from brainscan.server.guard import _is_local_name
from brainscan.server.job import cut, showable
from brainscan.server.settings import ServeSettings, check_address, is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "8.8.8.8"])
def test_a_public_address_needs_a_token(host: str) -> None:
    with pytest.raises(UsageError, match="can be reached from other machines"):
        check_address(ServeSettings(host=host))
    check_address(ServeSettings(host=host, token="a long and random text"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.5"])
def test_loopback_needs_none(host: str) -> None:
    assert is_loopback(host)
    check_address(ServeSettings(host=host))


def test_a_short_token_is_refused() -> None:
    with pytest.raises(UsageError, match="shorter than 16"):
        check_address(ServeSettings(token="secret"))


def test_the_token_is_not_printed() -> None:
    assert "correct-horse" not in repr(ServeSettings(token="correct-horse-battery"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:80", "[::1]:80", "[::1]"])
def test_names_of_this_machine(host: str) -> None:
    assert _is_local_name(host)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "127.0.0.1.nip.io"])
def test_names_of_others(host: str) -> None:
    assert not _is_local_name(host)


def test_text_is_shown_when_no_later_token_can_change_it() -> None:
    assert showable("abc\ufffd", ()) == "abc"
    assert showable("say STO", ("STOP",)) == "say "
    assert showable("say STOX", ("STOP",)) == "say STOX"
    assert cut("say STOP now", ("STOP", "now")) == ("say ", True)
    assert cut("nothing", ("STOP",)) == ("nothing", False)


def test_without_its_packages_serve_says_what_to_install() -> None:
    code = (
        "import sys, importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n, p=None: None if n in ('fastapi','uvicorn') else real(n, p)\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'fastapi', 'uvicorn', 'prometheus_client', 'starlette'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "sys.argv = ['brainscan', 'serve', 'x', '--monitor', 'y']\n"
        "from brainscan.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "pip install 'brainscan[serve]'" in done.stderr
