"""A state keeps the plans of batteries as they were made; none was kept before."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "plans",
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("made", "batteries")),
        sa.Column("block", sa.LargeBinary, nullable=False),
    )
