"""Plans of batteries as they were made: a packed block for each, under its first slot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sqlalchemy as sa

from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.store.database import Database
from transactive.store.packed import PackedBlock, pack, unpack
from transactive.store.schema import PLANS
from transactive.store.sealing import seal
from transactive.trading.devices.made import MadePlan

RULE = ("grid_charge_to", "surplus_charge_to", "serve_down_to", "export_down_to")
BANDS = ("low", "middle", "high")


def save_plan(store: Database, plan: MadePlan) -> None:
    """Keep a plan; one that is there already stays, as it knew from where batteries began."""
    slot = int(plan.slots[0])
    row = {"slot": slot, "made": plan.made, "batteries": len(plan.members), "block": pack_plan(plan)}
    with store.transaction() as connection:
        if connection.scalar(sa.select(PLANS.c.slot).where(PLANS.c.slot == slot)) is None:
            connection.execute(sa.insert(PLANS), [row])
            seal(connection, PLANS, [slot])


def plans_of(store: Database, first: int, last: int) -> Iterator[MadePlan]:
    """Plans whose first slots lie from `first` to `last` [Unix s], newest first. Raises StateError for damage."""
    chosen = sa.select(PLANS).where(PLANS.c.slot.between(first, last))
    for row in store.rows(chosen.order_by(PLANS.c.slot.desc())):
        yield unpack_plan(row["block"], row["made"], f"{store.path}: plan of {time_text(row['slot'])}")


def pack_plan(plan: MadePlan) -> bytes:
    """Block of a plan: a row for each slot and battery, slot by slot; worth is 0 beyond the plan's own slots."""
    slots, batteries = plan.need_price.shape
    worth = np.zeros((slots, plan.worth.shape[1], batteries), np.int64)
    worth[: plan.own] = plan.worth
    columns = {
        "slot": np.repeat(plan.slots, batteries),
        "member": np.tile(plan.members, slots),
        "need_price": plan.need_price.ravel(),
        "spare_price": plan.spare_price.ravel(),
        **_flat("rule", RULE, plan.levels_wh),
        **_flat("load", BANDS, plan.load_wh),
        **_flat("held", BANDS, plan.held_wh),
        **{f"worth_{step}": worth[:, step].ravel() for step in range(worth.shape[1])},
    }
    return pack(PackedBlock(columns, {"batteries": batteries, "own": plan.own, "steps": worth.shape[1]}))


def unpack_plan(data: bytes, made: int, what: str) -> MadePlan:
    """The plan again. Raises StateError."""
    block = unpack(data, what)
    batteries, own, steps = (block.numbers[name] for name in ("batteries", "own", "steps"))
    columns = {name: column.reshape(-1, batteries) for name, column in block.columns.items()}

    def stacked(kind: str, names: tuple[str, ...]) -> IntArray:
        return np.stack([columns[f"{kind}_{name}"] for name in names], axis=1)

    return MadePlan(
        made,
        columns["slot"][:, 0],
        own,
        columns["member"][0],
        stacked("rule", RULE),
        columns["need_price"],
        columns["spare_price"],
        stacked("load", BANDS),
        stacked("held", BANDS),
        stacked("worth", tuple(str(step) for step in range(steps)))[:own],
    )


def _flat(kind: str, names: tuple[str, ...], table: IntArray) -> dict[str, IntArray]:
    return {f"{kind}_{name}": table[:, place].ravel() for place, name in enumerate(names)}
