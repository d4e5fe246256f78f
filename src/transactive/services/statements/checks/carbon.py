"""Whether a member's footprint follows: from registers, factor, the mix of its node, and what its battery held.

A mix is rounded down to whole mg/kWh, and sharing rounds each part to a mg; within that both sides are held. Which lot
a discharge came from is not told; that a battery gives no carbon that was not put in is.
"""

from __future__ import annotations

from transactive.core.slots import time_text
from transactive.core.units import WH_PER_KWH
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import Registers, StatementSlot
from transactive.services.statements.checks.words import hold

ROUNDED_MG = 3
"""What sharing among members, between load and battery, and among certificates may round in a slot."""


def check_footprint(of: Statement, slot: StatementSlot, at: str) -> None:
    """Location-based carbon is that of generation, battery and import; unmatched carbon is within the residual mix.

    Raises Contradiction naming the slot `at`.
    """
    r = slot.registers
    own = min(r.generation_wh, r.consumption_wh)
    stored = min(r.discharge_wh, r.consumption_wh - own)
    imported = r.consumption_wh - own - stored
    battery = slot.drawn_mg * stored // max(r.discharge_wh, 1)
    known = own * of.method.pv_g_per_kwh + battery
    hold(
        _near(slot.location_mg - known, imported, slot.mix_mg_per_kwh),
        f"{at}: location_mg {slot.location_mg} is not that of {own} Wh generated, {stored} Wh from the battery with"
        f" {battery} mg and {imported} Wh at {slot.mix_mg_per_kwh} mg/kWh",
    )
    received = sum(b[2] for b in slot.bundles if b[3] == of.member.index and b[0] // 2 != of.member.index)
    unmatched = (r.import_wh - received) * slot.residual.carbon_mg
    hold(
        (slot.unmatched_mg - ROUNDED_MG) * slot.residual.energy_wh < unmatched,
        f"{at}: unmatched_mg {slot.unmatched_mg} is more than {r.import_wh - received} Wh have at the residual mix",
    )


def check_battery(of: Statement, before: StatementSlot, after: StatementSlot) -> None:
    """A battery holds what it held, less what came out, and what was charged. Raises Contradiction naming the slot."""
    sun, grid = _charged(after.registers)
    put = after.stored_mg - before.stored_mg + after.drawn_mg - sun * of.method.pv_g_per_kwh
    hold(
        _near(put, grid, after.mix_mg_per_kwh),
        f"{time_text(after.slot)}: stored_mg {after.stored_mg} is not {before.stored_mg} less {after.drawn_mg}, and"
        f" {sun} Wh generated and {grid} Wh imported that were charged",
    )


def _charged(r: Registers) -> tuple[int, int]:
    """What was charged of own generation and of imports [Wh]: generation serves the load first, then the battery."""
    sun = min(r.generation_wh - min(r.generation_wh, r.consumption_wh), r.charge_wh)
    return sun, r.charge_wh - sun


def _near(carbon_mg: int, energy_wh: int, mix_mg_per_kwh: int) -> bool:
    """Whether carbon is that of energy at a mix, as far as both are rounded."""
    least, most = (energy_wh * mix // WH_PER_KWH for mix in (mix_mg_per_kwh, mix_mg_per_kwh + 1))
    return least - ROUNDED_MG <= carbon_mg <= most + ROUNDED_MG
