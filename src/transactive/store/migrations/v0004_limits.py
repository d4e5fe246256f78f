"""Slots keep the limits that members set on chain; those of before knew none, which is what no row says."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of limits, where a program between the versions has not made it."""
    op.create_table(
        "limits",
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("member", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("block", sa.BigInteger),
        sa.Column("most_n", sa.BigInteger),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
