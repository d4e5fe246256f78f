"""Readings have a quality; those of before were all metered, which is what no row says."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of what was not metered, where a program between the versions has not made it."""
    op.create_table(
        "qualities",
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("member", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("quality", sa.BigInteger),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
