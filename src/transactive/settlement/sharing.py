"""Sharing: what neighbours give in a slot, allotted to members by keys and by the meters after delivery.

E is what the members of a circle give, n_i what member i takes. Keys follow one another; each allots what those before
it left:

    static      min(⌊E · share_i⌉, n_i): by agreed shares; what a member cannot use is left over
    rounds      by agreed shares too; what one cannot use goes to the others by theirs, until nobody with a share can
    dynamic     E · n_i / Σ n, at most n_i: by what each takes
    equal       the same for each, at most n_i; what one cannot use goes to the others
    order       the first up to n_1, then the second, and so on

Circles follow one another in the same way: a building, then the street, then all. A part of a meter may count in a
circle, so that one can share with several communities. Every division is by largest remainder, ties to the member named
first, so that the parts make the whole to the Wh. What is shared in a circle was given by each producer in proportion
to what it gave, by the same rule. The rest is the supplier's.

Source: static and dynamic are the two models of allocation of Austrian energy communities (EDA, Aufteilungsmodelle) and
of French collective self-consumption; rounds is the iterative fixed key of Brussels (Sibelga, méthodes de répartition);
coefficients by hour are Spanish (RD 244/2019, annex I). The remainder's rule is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.tables import Readings
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.core.units import PPM, IntArray, share_capped, share_columns


@dataclass(frozen=True, slots=True, eq=False)
class Circle:
    """Who share among themselves, as columns (members,), and by which rule.

    part_ppm: part of each meter that counts, 0 of who is not there. share_ppm: agreed shares, a million at most in all.
    price [µ¤/kWh]; fee_ppm: part of the network fee.
    """

    name: str
    keys: Sequence[str]
    part_ppm: IntArray
    share_ppm: IntArray
    price: int
    fee_ppm: int = PPM


@dataclass(frozen=True, slots=True, eq=False)
class SharedSlot:
    """What was shared in a slot [Wh], (circles, members): used, given; and the circles.

    surplus_wh: what fixed shares allotted beyond what their holders used, (members,); zero where producers sell it.
    """

    circles: tuple[Circle, ...]
    used_wh: IntArray
    given_wh: IntArray
    surplus_wh: IntArray


def allot(given_wh: int, taken_wh: IntArray, keys: Sequence[str], share_ppm: IntArray) -> IntArray:
    """What each member is allotted of what all give [Wh], (members,), never more than it takes.

    keys: names as above, in turn. share_ppm: of each member for fixed shares, a million at most in all.
    """
    used, left = np.zeros(len(taken_wh), np.int64), given_wh
    for key in keys:
        part = _by_key(key, left, taken_wh - used, share_ppm)
        used, left = used + part, left - int(part.sum())
    return used


def _by_key(key: str, left: int, need: IntArray, share_ppm: IntArray) -> IntArray:
    """What one key allots of what is left to those who still need."""
    if key == "static":
        return np.minimum(rights(left, share_ppm), need)
    if key == "order":
        in_turn: IntArray = np.clip(left - (np.cumsum(need) - need), 0, need)
        return in_turn
    if key == "rounds":
        need = np.where(share_ppm > 0, need, 0)
        left = min(left, rights_in_all(left, share_ppm))
    weights = {"dynamic": need, "rounds": share_ppm}.get(key, np.ones(len(need), np.int64))
    return share_capped(min(left, int(need.sum())), weights, need)


def rights_in_all(given_wh: int, share_ppm: IntArray) -> int:
    """What fixed shares are of what is given, together [Wh]: rounded down."""
    return given_wh * int(share_ppm.sum()) // PPM


def rights(given_wh: int, share_ppm: IntArray) -> IntArray:
    """What each fixed share is of what is given [Wh], (members,)."""
    return share_columns(rights_in_all(given_wh, share_ppm), share_ppm)


def share_out(readings: Readings, circles: Sequence[Circle], *, to_holders: bool = False) -> SharedSlot:
    """Let each circle share what those before it left.

    to_holders: whether what a fixed share allots belongs to its holder also where it can not use it.
    """
    taken, given = registers(readings)
    used_wh, given_wh = np.zeros((2, len(circles), len(taken)), np.int64)
    surplus = np.zeros(len(taken), np.int64)
    for row, circle in enumerate(circles):
        need = np.minimum(taken * circle.part_ppm // PPM, taken - used_wh.sum(axis=0))
        gives = np.minimum(given * circle.part_ppm // PPM, given - given_wh.sum(axis=0))
        used_wh[row] = allot(int(gives.sum()), need, circle.keys, circle.share_ppm)
        if to_holders:
            surplus += rights(int(gives.sum()), circle.share_ppm) - used_wh[row]
        given_wh[row] = share_columns(int(used_wh[row].sum()), gives)
    return SharedSlot(tuple(circles), used_wh, given_wh, surplus)


def registers(readings: Readings) -> tuple[IntArray, IntArray]:
    """What each member takes and gives [Wh], each (members,): what counted in both directions is nobody else's."""
    own = np.minimum(readings.import_wh, readings.export_wh)
    return readings.import_wh - own, readings.export_wh - own


def delivery_of(
    positions: Positions, readings: Readings, used_wh: IntArray, given_wh: IntArray, *, billed: bool = True
) -> Delivery:
    """Delivery of a slot in which nobody traded, with what members share met inside the community [Wh], (members,).

    billed: whether the supplier bills less for it; where an incentive pays for what is shared it bills every meter.
    """
    imported, exported = readings.import_wh, readings.export_wh
    nothing = np.zeros(len(imported), np.int64)
    inside, gave = (used_wh, given_wh) if billed else (nothing, nothing)
    return Delivery(
        slot=positions.slot,
        bought_wh=nothing,
        sold_wh=nothing,
        imported_wh=imported,
        exported_wh=exported,
        short_inside_wh=nothing,
        short_supplier_wh=nothing,
        extra_inside_wh=inside,
        extra_supplier_wh=imported - inside,
        give_inside_wh=gave,
        give_supplier_wh=exported - gave,
        local_use_wh=used_wh,
    )
