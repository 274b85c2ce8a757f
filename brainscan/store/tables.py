"""The tables, as SQLAlchemy 2 models. A change here needs a new file in ``migrations/versions``."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Holds the metadata of every table."""


class ScanTable(Base):
    """One finished scan: where its folder lies and how many findings of each verdict it has."""

    __tablename__ = "scans"
    __table_args__ = (Index("ix_scans_created_utc", "created_utc"), Index("ix_scans_subject_name", "subject_name"))

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    folder: Mapped[str] = mapped_column(String)
    subject_name: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String)
    reference_name: Mapped[str | None] = mapped_column(String)
    plan: Mapped[str] = mapped_column(String)
    created_utc: Mapped[str] = mapped_column(String(40))
    flagged: Mapped[int] = mapped_column(Integer)
    clear: Mapped[int] = mapped_column(Integer)
    cannot_tell: Mapped[int] = mapped_column(Integer)
    not_assessed: Mapped[int] = mapped_column(Integer)
    scan_sha256: Mapped[str] = mapped_column(String(64))
    complete: Mapped[bool]


class FindingTable(Base):
    """One condition of one scan; ``position`` keeps the order of the diagnosis."""

    __tablename__ = "findings"
    __table_args__ = (Index("ix_findings_condition_verdict", "condition", "verdict"),)

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)
    condition: Mapped[str] = mapped_column(String, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(16))
    score: Mapped[float] = mapped_column(Float)
    p_value: Mapped[float | None] = mapped_column(Float)


class IncidentTable(Base):
    """One answer that raised an alarm; ``record`` holds it whole, as JSON."""

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_created_utc", "created_utc"), Index("ix_incidents_open", "open"))

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_utc: Mapped[str] = mapped_column(String(40))
    subject_name: Mapped[str] = mapped_column(String)
    monitor_sha256: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    rules: Mapped[str] = mapped_column(String)
    open: Mapped[bool]
    record: Mapped[str] = mapped_column(Text)
