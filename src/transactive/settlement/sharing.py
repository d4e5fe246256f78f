"""Sharing: what neighbours give in a slot, allotted to members by keys and by the meters after delivery.

E is what all members give, n_i what member i takes. Keys follow one another; each allots what those before it left:

    static      min(⌊E · share_i⌉, n_i): by agreed shares; what a member cannot use is left over
    dynamic     E · n_i / Σ n, at most n_i: by what each takes
    equal       the same for each, at most n_i; what one cannot use goes to the others

Every division is by largest remainder, ties to the member named first, so that the parts make the whole to the Wh. What
is shared was given by each producer in proportion to what it gave, by the same rule. The rest is the supplier's.

Source: static and dynamic are the two models of allocation of Austrian energy communities (EDA, Aufteilungsmodelle) and
of French and Spanish collective self-consumption; the remainder's rule is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.tables import Delivery, Positions, Readings
from transactive.core.units import PPM, IntArray, share_capped, share_columns


def allot(given_wh: int, taken_wh: IntArray, keys: Sequence[str], share_ppm: IntArray) -> IntArray:
    """What each member is allotted of what all give [Wh], (members,), never more than it takes.

    keys: `static`, `dynamic`, `equal`, in turn. share_ppm: of each member for the static key, a million at most in all.
    """
    used, left = np.zeros(len(taken_wh), np.int64), given_wh
    for key in keys:
        need = taken_wh - used
        if key == "static":
            part = np.minimum(share_columns(left * int(share_ppm.sum()) // PPM, share_ppm), need)
        else:
            weights = need if key == "dynamic" else np.ones(len(need), np.int64)
            part = share_capped(min(left, int(need.sum())), weights, need)
        used, left = used + part, left - int(part.sum())
    return used


def deliver_shared(positions: Positions, readings: Readings, keys: Sequence[str], share_ppm: IntArray) -> Delivery:
    """Delivery of a slot in which nobody traded, with what members share met inside the community."""
    imported, exported = readings.import_wh, readings.export_wh
    own = np.minimum(imported, exported)  # counted in both directions: a meter's own registers never net each other
    used = allot(int((exported - own).sum()), imported - own, keys, share_ppm)
    given = share_columns(int(used.sum()), exported - own)
    nothing = np.zeros(len(imported), np.int64)
    return Delivery(
        slot=positions.slot,
        bought_wh=nothing,
        sold_wh=nothing,
        imported_wh=imported,
        exported_wh=exported,
        short_inside_wh=nothing,
        short_supplier_wh=nothing,
        extra_inside_wh=used,
        extra_supplier_wh=imported - used,
        give_inside_wh=given,
        give_supplier_wh=exported - given,
        local_use_wh=used,
    )
