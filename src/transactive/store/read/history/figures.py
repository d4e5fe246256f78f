"""Figures of each member in each slot, from which every sum on a page is made: one definition of what was saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from transactive.core.certificates import CertificateState
from transactive.core.community.members import drawn_wh
from transactive.core.postings import PostingKind
from transactive.core.tariff import Tariff
from transactive.core.units import BoolArray, IntArray
from transactive.environment.own_prices import own_prices
from transactive.environment.standing_charges import standing_charges_n
from transactive.store.read.runs import Reader, Run, consumption_wh
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import CERTIFICATES, CLEARINGS, POSTINGS, READINGS

Figures = Mapping[str, IntArray]
"""Columns by name, each (members,)."""
METERED = (
    *("bought_wh", "sold_wh", "import_wh", "export_wh", "generation_wh", "consumption_wh"),
    *("without_n", "paid_n", "location_mg", "market_mg", "unmatched_mg", "levy_n", "charged_wh"),
)
POSTED = ("advanced_n", "returned_n", "retired_kg", "retired_n")
KINDS = {
    "advanced_n": (PostingKind.ADVANCE, "payee", "amount_n"),
    "returned_n": (PostingKind.LEVY_RETURN, "payee", "amount_n"),
    "retired_kg": (PostingKind.OFFSET, "payer", "energy_wh"),
    "retired_n": (PostingKind.OFFSET, "payer", "amount_n"),
}
"""Of each figure of `POSTED`: kind of posting, who is meant, and what is summed."""


def metered(reader: Reader, run: Run, first: int, last: int) -> Iterator[tuple[int, Figures, Figures]]:
    """Figures of slots from `first` to `last` that meters and prices give, `METERED`; and the readings they come from.

    without_n: the bill of the same home without a market; paid_n: what it paid, before what the supplier waits for;
    charged_wh: what its battery holds more than before.
    """
    efficiency = np.array([member.battery_efficiency_ppm for member in run.community.members], np.int64)
    c = CLEARINGS.c
    prices = reader.store.rows(sa.select(c.slot, c.supply_price, c.feed_in, c.fee).where(c.slot.between(first, last)))
    of_slot = {row["slot"]: Tariff(row["supply_price"], row["feed_in"], row["fee"]) for row in prices}
    for slot, columns in each_slot(reader.store, READINGS, READINGS.c.slot.between(first, last)):
        tariff = of_slot[slot]
        tariff = replace(tariff, own=own_prices(run.community, slot, tariff))
        without = columns["baseline_import_wh"] * tariff.supply_of - columns["baseline_export_wh"] * tariff.feed_in_of
        found = {name: columns[name] for name in METERED if name in columns} | {
            "consumption_wh": consumption_wh(columns),
            "without_n": without + standing_charges_n(run.community, slot),
            "paid_n": -columns["net_n"],
            "charged_wh": columns["charge_wh"] - drawn_wh(columns["discharge_wh"], efficiency),
        }
        yield slot, found, columns


def posted(columns: Figures, members: int) -> Figures:
    """Figures of a slot that its postings give, `POSTED`."""
    found = {}
    for name, (kind, party, amount) in KINDS.items():
        rows = columns["kind"] == kind
        found[name] = _by_member(columns[party], columns[amount], rows & (columns[party] < members), members)
    return found


def claimed(reader: Reader, members: int, first: int, last: int) -> Iterator[tuple[int, IntArray]]:
    """Certificates that each member claimed [Wh] in slots from `first` to `last` that have some."""
    c, state = CERTIFICATES.c, CertificateState.CLAIMED
    where, names = (has(c.states, state), c.slot.between(first, last)), ("owner", "state", "energy_wh")
    for slot, columns in each_slot(reader.store, CERTIFICATES, *where, names=names):
        rows = (columns["state"] == state) & (columns["owner"] < members)
        yield slot, _by_member(columns["owner"], columns["energy_wh"], rows, members)


def slot_figures(reader: Reader, run: Run, first: int, last: int) -> Iterator[tuple[int, Figures]]:
    """Whatever is known of each delivered slot from `first` to `last`."""
    members, p = len(run.community.members), POSTINGS.c
    several = has(p.kinds, *{kind for kind, _, _ in KINDS.values()})
    names = ("kind", "payer", "payee", "energy_wh", "amount_n")
    of_postings = {
        slot: posted(columns, members)
        for slot, columns in each_slot(reader.store, POSTINGS, several, p.slot.between(first, last), names=names)
    }
    of_certificates = dict(claimed(reader, members, first, last))
    for slot, figures, _ in metered(reader, run, first, last):
        more = {"claimed_wh": of_certificates[slot]} if slot in of_certificates else {}
        yield slot, {**figures, **of_postings.get(slot, {}), **more}


def _by_member(of: IntArray, amount: IntArray, rows: BoolArray, members: int) -> IntArray:
    """Sums of some rows by member."""
    sums = np.zeros(members, np.int64)
    np.add.at(sums, of[rows], amount[rows])
    return sums
