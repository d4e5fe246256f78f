"""Rows of all tables have digests. What is there is sealed as it is, after the last step: no table changes."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing but the version: the program that takes the steps seals all rows at their end."""
