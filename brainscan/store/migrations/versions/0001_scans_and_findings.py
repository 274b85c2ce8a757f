"""The first tables: scans and their findings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("subject_name", sa.String, nullable=False),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("reference_name", sa.String),
        sa.Column("plan", sa.String, nullable=False),
        sa.Column("created_utc", sa.String(40), nullable=False),
        sa.Column("flagged", sa.Integer, nullable=False),
        sa.Column("clear", sa.Integer, nullable=False),
        sa.Column("cannot_tell", sa.Integer, nullable=False),
        sa.Column("not_assessed", sa.Integer, nullable=False),
        sa.Column("scan_sha256", sa.String(64), nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
    )
    op.create_index("ix_scans_created_utc", "scans", ["created_utc"])
    op.create_index("ix_scans_subject_name", "scans", ["subject_name"])
    op.create_table(
        "findings",
        sa.Column("scan_id", sa.String(64), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("condition", sa.String, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("p_value", sa.Float),
    )
    op.create_index("ix_findings_condition_verdict", "findings", ["condition", "verdict"])


def downgrade() -> None:
    op.drop_table("findings")
    op.drop_table("scans")
