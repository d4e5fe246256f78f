"""Tables of the database: what a slot has many of in packed blocks, a row for each of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from transactive.store.row_blocks import SUMMED

METADATA = sa.MetaData()
VERSION = "0011"
"""Version of these tables: the newest step in `migrations`."""
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that every database sorts by its bytes, so that digests of rows are the same."""
VERSION_TABLE = sa.Table(
    "alembic_version", METADATA, sa.Column("version_num", sa.String(32), primary_key=True, nullable=False)
)
"""The version of a state, as Alembic keeps it."""


def _table(name: str, key: Sequence[str], *columns: str, texts: Sequence[str] = ()) -> sa.Table:
    """A table of whole numbers with the given primary key; `texts` names columns of text."""
    kinds: list[sa.Column[Any]] = [
        sa.Column(column, sa.BigInteger, primary_key=column in key, autoincrement=False) for column in (*key, *columns)
    ]
    kinds += [sa.Column(text, sa.Text, nullable=False) for text in texts]
    return sa.Table(name, METADATA, *kinds, sqlite_with_rowid=False)


def _packed(name: str, *counts: str) -> sa.Table:
    """A table with one packed block a slot (`packed`), and counts of what is in it."""
    return sa.Table(
        name,
        METADATA,
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(count, sa.BigInteger, nullable=False) for count in counts),
        sa.Column("block", sa.LargeBinary, nullable=False),
    )


SNAPSHOT = sa.Table(
    "snapshot",
    METADATA,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
SETTINGS = sa.Table("settings", METADATA, sa.Column("key", TEXT, primary_key=True), sa.Column("value", sa.Text))
CLEARINGS = _table(
    "clearings",
    ("slot",),
    *("price", "traded_wh", "floor", "cap", "tick"),
    *("supply_price", "feed_in", "fee", "grid_g_per_kwh"),
    *("lost_wh", "lost_n"),
)
NODES = _table("nodes", ("slot", "node"), "price")
LINES = _table("lines", ("slot", "line"), "flow_wh", "lost_wh")
ORDERS, ORDERS_AHEAD = (_packed(name, "orders", "buys") for name in ("orders", "orders_ahead"))
"""Orders of a slot, packed by `slot_blocks.pack_orders`; how many, and how many of them buy."""
POSITIONS, POSITIONS_AHEAD = (_packed(name, "positions") for name in ("positions", "positions_ahead"))
"""Positions of a slot, packed by `row_blocks.pack_positions`; how many."""
REFUSALS, REFUSALS_AHEAD = (
    _table(name, ("slot", "row"), "member", "is_buy", "price", "energy_wh", "missing_n")
    for name in ("refusals", "refusals_ahead")
)
SIGNATURES = _packed("signatures")
"""Signatures and receipts of a slot's orders, packed by `slot_blocks.pack_signatures`."""
GRANTS = _table("grants", ("key",), texts=("record",))
"""What members allow the keys of their agents, with their signatures; a block of signatures names them by key."""
DIGESTS = sa.Table(
    "digests",
    METADATA,
    sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Digest of a table's rows of a slot as they were written (`row_digests`); name: of the table."""
READINGS = _packed("readings", "meters", *SUMMED)
"""Meters, trade, money and carbon of a slot's members, packed by `row_blocks.pack_readings`, with sums over all."""
NO_MEMBER = -1
"""Stands for a member in the row that is about a whole slot."""
QUALITIES = _table("qualities", ("slot", "member"), "quality")
"""Readings that are not simply metered, each a `ReadingQuality`; a slot without a row was metered throughout.

Member −1 stands for a slot whose session was void.
"""
CORRECTIONS = _packed("corrections", "corrections")
"""Corrected readings of earlier slots that a slot settled, packed by `corrections.put_settled`; how many."""
RAW = ("import_wh", "export_wh", "generation_wh", "metered", "source")
WAITING = _table("corrections_waiting", ("origin", "member"), *RAW)
"""Corrected readings that were accepted and that the next slots will settle; source: number of where they come from."""
WITHHELD = _table("withheld", ("slot", "member"), "energy_wh")
"""Production of a slot without certificates, as those of earlier corrected readings had left already."""
SOURCES = _table("sources", ("number",), "first", "until", "read_at", texts=("name", "digest"))
"""Where readings came from: name and SHA-256 of the file, its first slot and its end, and when it was taken up."""
LIMITS = _table("limits", ("slot", "member"), "block", "most_n")
"""Limits of debits that held in a slot, with the block at which they were read; member −1 has the block alone."""
POSTINGS = _packed("postings", "postings", "kinds")
"""Postings of a slot, packed by `row_blocks.pack_postings`; how many, and which kinds, as bits."""
CERTIFICATES = _packed("certificates", "bundles", "states")
"""Bundles of a slot, packed by `row_blocks.pack_bundles`; how many, and in which states, as bits."""
CERTIFICATE_LOG = _table("certificate_log", ("number",), "slot", texts=("entry", "digest"))
"""What people did with certificates after the run; digest: of the slot's register then."""
CERTIFICATE_ORDERS = _table(
    "certificate_orders", ("slot", "row"), "member", "is_buy", "price", "energy_wh", "allocated_wh", "cleared"
)
"""Orders for certificates apart from energy; cleared: price of their auction."""
FOOTPRINTS = _table(
    "footprints",
    ("slot",),
    *("generation_mg", "imported_mg", "exported_mg", "taken_out_mg", "put_in_mg"),
    *("grid_mg", "grid_wh", "residual_mg", "residual_wh", "free_ppm"),
)
BLOCKS = _table("blocks", ("slot",), "number", "timestamp", "commit_gas", "netting_gas", "checked", texts=("hash",))
CREDIT_LOG = _table("credit_log", ("number",), "slot", texts=("step",))
"""Every step that the register of carbon credits took, in order."""
CREDIT_NOTES = _table("credit_notes", ("slot", "row"), "member", texts=("note",))
"""What a slot says of carbon credits, each a record of `core.credit_notes`; member: account that it is about."""
ADVICE = sa.Table(
    "advice",
    METADATA,
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("block", sa.LargeBinary, nullable=False),
)
"""What members are told of their own meters, all in one block, of the newest day only."""
ITEMS = _table(
    "items",
    ("number",),
    *("member", "first", "end", "energy_wh", "confidence_ppm", "opened", "seen", "state", "changed"),
    texts=("kind", "evidence"),
)
"""What detection found and somebody should look at; member −1: the feeder. state: an `ItemState`."""
PLANS = _packed("plans", "made", "batteries")
"""Plans of batteries, packed by `devices.plans`, under their first slot; when each was made, and for how many."""
ACTS = _table("acts", ("number",), "member", "made", "begins", "undoes", texts=("by", "key", "asked", "record"))
"""What members did while their run went on, in order: `live.acts`."""
CONGESTION = _table(
    "congestion", ("slot", "line", "ahead"), "expected_wh", "low_wh", "high_wh", "over_ppm", "back_ppm", "beyond_wh"
)
LINE_LOADS = _table("line_loads", ("slot", "line"), "flow_wh", "unlimited_wh", "price")
INTERVENTIONS = _table("interventions", ("slot", "line", "kind"), "homes", "energy_wh", "amount_n")
"""Lines of a network: forecasts, at the gate and, `ahead`, a day before; what they carried; what was done for them."""
MODELS = sa.Table(
    "models",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("target", "status", "record")),
)
MODEL_EVENTS = sa.Table(
    "model_events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("target", TEXT, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
CHARGES = sa.Table(
    "model_charges",
    METADATA,
    sa.Column("target", TEXT, primary_key=True),
    sa.Column("since", sa.BigInteger, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)
FORECASTS = sa.Table(
    "forecasts",
    METADATA,
    sa.Column("slot", sa.BigInteger, primary_key=True),
    sa.Column("target", TEXT, primary_key=True),
    sa.Column("ahead", TEXT, primary_key=True),
    sa.Column("issued", sa.BigInteger, nullable=False),
    sa.Column("model", sa.Integer),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
