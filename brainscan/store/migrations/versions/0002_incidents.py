"""Incidents: answers that raised an alarm."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("created_utc", sa.String(40), nullable=False),
        sa.Column("subject_name", sa.String, nullable=False),
        sa.Column("monitor_sha256", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("rules", sa.String, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("ix_incidents_created_utc", "incidents", ["created_utc"])
    op.create_index("ix_incidents_open", "incidents", ["open"])


def downgrade() -> None:
    op.drop_table("incidents")
