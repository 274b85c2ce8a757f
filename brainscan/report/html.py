"""The scan as one HTML file that opens from disk: complete without script and without network."""

from __future__ import annotations

from urllib.parse import quote

from brainscan.diagnosis.finding import Diagnosis
from brainscan.report.page import assemble, data_block
from brainscan.report.public import to_public
from brainscan.report.view import scan_view
from brainscan.scan.record import Arrays, Scan


def render_html(scan: Scan, diagnosis: Diagnosis, arrays: Arrays) -> str:
    """The whole page. ``arrays`` holds what the figures name; a missing one is named on the page, not an error."""
    return assemble(
        "scan.html.j2",
        view=scan_view(scan, diagnosis, arrays),
        data=data_block(to_public(scan, diagnosis)),
        quote=quote,
    )
