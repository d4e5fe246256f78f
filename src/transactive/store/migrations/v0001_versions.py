"""States carry the version of their tables; the tables themselves stay as they were.

What was made before states had versions is of many kinds. This program knows the last of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from transactive.core.errors import StateError

revision = "0001"
down_revision = None

TABLES = {
    "advice": "member at insights",
    "blocks": "slot number timestamp commit_gas netting_gas checked hash",
    "certificate_log": "number slot entry digest",
    "certificate_orders": "slot row member is_buy price energy_wh allocated_wh cleared",
    "certificates": "slot device first_wh energy_wh owner state market_mg",
    "clearings": "slot price traded_wh floor cap tick supply_price feed_in fee grid_g_per_kwh lost_wh lost_n",
    "congestion": "slot line ahead expected_wh low_wh high_wh over_ppm back_ppm beyond_wh",
    "credit_log": "number slot step",
    "credit_notes": "slot row member note",
    "footprints": (
        "slot generation_mg imported_mg exported_mg taken_out_mg put_in_mg grid_mg grid_wh residual_mg "
        "residual_wh free_ppm"
    ),
    "forecasts": "slot target ahead issued model data",
    "interventions": "slot line kind homes energy_wh amount_n",
    "items": "number member first end energy_wh confidence_ppm opened seen state changed kind evidence",
    "line_loads": "slot line flow_wh unlimited_wh price",
    "lines": "slot line flow_wh lost_wh",
    "model_charges": "target since record",
    "model_events": "number target record",
    "models": "number target status record",
    "nodes": "slot node price",
    "orders": "slot row member is_buy price energy_wh lock_n allocated_wh money_n",
    "orders_ahead": "slot row member is_buy price energy_wh lock_n allocated_wh money_n",
    "positions": "slot is_buy member price energy_wh",
    "positions_ahead": "slot is_buy member price energy_wh",
    "postings": "slot row kind payer payee energy_wh price amount_n",
    "readings": (
        "slot member import_wh export_wh generation_wh charge_wh discharge_wh bought_wh sold_wh net_n "
        "location_mg market_mg unmatched_mg levy_n mix_mg_per_kwh drawn_mg stored_mg baseline_import_wh "
        "baseline_export_wh"
    ),
    "refusals": "slot row member is_buy price energy_wh missing_n",
    "refusals_ahead": "slot row member is_buy price energy_wh missing_n",
    "settings": "key value",
    "signatures": "slot member serial signature receipt agent",
    "snapshot": "row data",
}


def upgrade() -> None:
    """Check that all tables are there as the last program without versions made them. Raises StateError."""
    found = sa.inspect(op.get_bind())
    for table, columns in TABLES.items():
        there = {column["name"] for column in found.get_columns(table)} if found.has_table(table) else set()
        missing = [f"{table}.{column}" for column in columns.split() if column not in there]
        if missing:
            raise StateError(
                f"this state was made by a version of before states could be moved up: it has no {missing[0]};"
                " open it with the version that made it, or run again with another --state folder"
            )
