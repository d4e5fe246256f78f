"""Slots keep the corrected readings that they settle, a state the sources of its readings; those of before had none."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, all empty."""
    op.create_table(
        "corrections",
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("corrections", sa.BigInteger, nullable=False),
        sa.Column("block", sa.LargeBinary, nullable=False),
    )
    told = ("import_wh", "export_wh", "generation_wh", "metered", "source")
    _numbers("corrections_waiting", ("origin", "member"), told)
    _numbers("withheld", ("slot", "member"), ("energy_wh",))
    _numbers("sources", ("number",), ("first", "until", "read_at"), ("name", "digest"))


def _numbers(name: str, key: tuple[str, ...], columns: tuple[str, ...], texts: tuple[str, ...] = ()) -> None:
    """A table of whole numbers, and of texts."""
    op.create_table(
        name,
        *(sa.Column(column, sa.BigInteger, primary_key=True, autoincrement=False) for column in key),
        *(sa.Column(column, sa.BigInteger) for column in columns),
        *(sa.Column(text, sa.Text, nullable=False) for text in texts),
        sqlite_with_rowid=False,
    )
