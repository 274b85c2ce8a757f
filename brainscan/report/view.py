"""What a page shows of a scan and its diagnosis, chosen and counted before any template sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from brainscan.core.evidence import Evidence, Figure, Measurement
from brainscan.diagnosis.finding import Diagnosis, Finding, Reading
from brainscan.report.figures.dot_plot import DotPlot, draw_dot_plot, interval_strip
from brainscan.report.figures.layer_profile import LayerProfile, draw_layer_profile
from brainscan.report.figures.scan_image import ScanImage, draw_scan_image
from brainscan.report.page import data_block
from brainscan.report.shown import Coloured, coloured, plain_token
from brainscan.report.words import lead
from brainscan.scan.record import Arrays, Scan, Step, StepResult

OPEN_EVIDENCE, MOST_EVIDENCE = 3, 25


@dataclass(frozen=True)
class FigureView:
    """One figure, drawn; or the reason why it could not be."""

    figure: Figure
    image: ScanImage | None = None
    profile: LayerProfile | None = None
    cells: Markup | None = None
    """Values for the cell reader, as a JSON data block."""
    csv: str = ""
    missing: str = ""
    shown_under: Finding | None = None
    """The earlier finding that already shows this figure; it is drawn once on the page."""


@dataclass(frozen=True)
class EvidenceView:
    """One piece of evidence with its coloured tokens."""

    evidence: Evidence
    tokens: Coloured | None


@dataclass(frozen=True)
class ReadingView:
    """One reading with its strip and, when there are controls, its dot plot."""

    reading: Reading
    strip: Markup
    dots: DotPlot | None


@dataclass(frozen=True)
class FindingView:
    """One finding, ready to print."""

    finding: Finding
    lead: ReadingView | None
    readings: tuple[ReadingView, ...]
    figures: tuple[FigureView, ...]
    evidence: tuple[EvidenceView, ...]
    """At most MOST_EVIDENCE, strongest first; the first OPEN_EVIDENCE stand open."""
    n_evidence: int


@dataclass(frozen=True)
class StepView:
    """One step of the plan beside what it did."""

    plan: Step | None
    result: StepResult


@dataclass(frozen=True)
class ScanView:
    """Everything that the scan page shows."""

    scan: Scan
    diagnosis: Diagnosis
    findings: tuple[FindingView, ...]
    steps: tuple[StepView, ...]
    other_figures: tuple[FigureView, ...]
    """Figures that no finding shows."""
    other_measurements: tuple[Measurement, ...]
    """Measurements that no finding reads."""
    self_check_failed: bool
    anomaly_apart: bool
    """True when no finding is the anomaly, so that it needs a place of its own."""


def scan_view(scan: Scan, diagnosis: Diagnosis, arrays: Arrays) -> ScanView:
    """Draw every figure and count whatever is not shown."""
    first = _first_uses(diagnosis.findings)
    findings = tuple(_finding(finding, arrays, first) for finding in diagnosis.findings)
    read = {reading.measurement.name for finding in diagnosis.findings for reading in finding.readings}
    planned = {step.instrument: step for step in scan.plan.steps}
    return ScanView(
        scan=scan,
        diagnosis=diagnosis,
        findings=findings,
        steps=tuple(StepView(planned.get(result.instrument), result) for result in scan.steps),
        other_figures=tuple(_figure(figure, arrays) for figure in scan.figures() if figure.array not in first),
        other_measurements=tuple(m for name, m in scan.measurements().items() if name not in read),
        self_check_failed=any(not check.passed for check in scan.self_check),
        anomaly_apart=all(finding.condition != "anomaly" for finding in diagnosis.findings),
    )


def _first_uses(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    """Each figure's array -> the first finding that shows it."""
    first: dict[str, Finding] = {}
    for finding in findings:
        for figure in finding.figures:
            first.setdefault(figure.array, finding)
    return first


def _finding(finding: Finding, arrays: Arrays, first: dict[str, Finding]) -> FindingView:
    readings = tuple(_reading(reading) for reading in finding.readings)
    leading = lead(finding)
    return FindingView(
        finding=finding,
        lead=next((view for view in readings if view.reading is leading), None),
        readings=readings,
        figures=tuple(
            _figure(figure, arrays)
            if first[figure.array] is finding
            else FigureView(figure, shown_under=first[figure.array])
            for figure in finding.figures
        ),
        evidence=tuple(_evidence(evidence) for evidence in finding.evidence[:MOST_EVIDENCE]),
        n_evidence=len(finding.evidence),
    )


def _reading(reading: Reading) -> ReadingView:
    dots = draw_dot_plot(reading) if reading.control_values else None
    return ReadingView(reading, interval_strip(reading.measurement, reading.threshold), dots)


def _evidence(evidence: Evidence) -> EvidenceView:
    return EvidenceView(evidence, coloured(evidence.tokens, evidence.weights) if evidence.tokens else None)


def _figure(figure: Figure, arrays: Arrays) -> FigureView:
    values = arrays.get(figure.array)
    dimensions = 2 if figure.kind == "scan-image" else 1
    if values is None:
        return FigureView(figure, missing="Its array is not in the scan folder.")
    if values.ndim != dimensions or values.shape[0] != len(figure.layers) or not values.size:
        return FigureView(figure, missing="Its array does not have the shape that the figure names.")
    if figure.kind == "layer-profile":
        band = arrays.get(figure.band or "")
        fits = band is not None and band.shape == (2, len(figure.layers))
        return FigureView(figure, profile=draw_layer_profile(figure, values, band if fits else None))
    image = draw_scan_image(figure, values)
    cells = {
        "layers": figure.layers,
        "tokens": [plain_token(t, 40) for t in image.tokens],
        "unit": figure.unit,
        "rows": image.rows,
    }
    return FigureView(figure, image=image, cells=data_block(cells), csv=_csv(figure.layers, image))  # fmt: skip


def _csv(layers: Sequence[int], image: ScanImage) -> str:
    """Tokens down, layers across; a token that a spreadsheet would read as a formula gets a quote in front."""
    lines = ["token," + ",".join(f"layer {layer}" for layer in layers)]
    for i, token in enumerate(image.tokens):
        name = plain_token(token, 80).replace('"', '""')
        name = "'" + name if name.startswith(("=", "+", "-", "@")) else name
        lines.append(f'"{name}",' + ",".join("" if row[i] is None else f"{row[i]:g}" for row in image.rows))
    return "\n".join(lines)
