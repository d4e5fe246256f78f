"""A state keeps the log of what its members did; what was offered to the run stood in a setting before."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

OFFERED = "authorisations offered"


def upgrade() -> None:
    """Make the log, with what members had signed anew."""
    numbers = ("member", "made", "begins", "undoes")
    acts = op.create_table(
        "acts",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger) for name in numbers),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("by", "key", "asked", "record")),
        sqlite_with_rowid=False,
    )
    settings = sa.table("settings", sa.column("key", sa.Text), sa.column("value", sa.Text))
    text = op.get_bind().scalar(sa.select(settings.c.value).where(settings.c.key == OFFERED))
    if text is None:
        return
    rows = [
        {
            "number": number,
            "member": each["authorisation"]["account"],
            "made": 0,
            "begins": each["authorisation"]["valid_from"],
            "undoes": 0,
            "by": "",
            "key": "",
            "asked": "{}",
            "record": json.dumps(each),
        }
        for number, each in enumerate(json.loads(text), 1)
    ]
    op.bulk_insert(acts, rows)
    op.execute(sa.delete(settings).where(settings.c.key == OFFERED))
    digests = sa.table("digests", sa.column("slot", sa.BigInteger), sa.column("name", sa.Text))
    op.execute(sa.delete(digests).where(digests.c.slot == -1, digests.c.name == "settings"))  # sealed anew as they are
