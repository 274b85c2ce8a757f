"""One self-contained page: templates, escaping, hash-based policy and the embedded data block.

Every value that a template prints passes ``visible`` and autoescape, whoever wrote it. The policy allows exactly the
one style block and the one script of the page, by hash, and pictures only as data.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from brainscan.core.visible import visible
from brainscan.report import words
from brainscan.report.shown import plain_token, shown

_TEMPLATES = Path(__file__).parent / "templates"
_JSON_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def assemble(template: str, styles: tuple[str, ...] = ("page.css",), **slots: Any) -> str:
    """Render a page; its footer names its own size, so it is rendered twice."""
    css, script = "".join(map(_asset, styles)), _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(css)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    shared = {"css": Markup(css), "script": Markup(script), "policy": Markup(policy)}
    draft = page.render(**shared, **slots, size=999_999)
    return page.render(**shared, **slots, size=len(draft.encode()))


def data_block(value: Any) -> Markup:
    """A JSON value that is safe inside a script element: no markup character, no raw line separator."""
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_JSON_ESCAPES))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
    )
    environment.globals["words"] = words
    environment.globals["WORDS"] = words.WORDS
    environment.filters |= {"shown": shown, "token": plain_token}
    return environment


def _printed(value: Any) -> Any:
    return value if isinstance(value, Markup) else visible(str(value))


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
