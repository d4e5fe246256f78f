"""Perfect foresight: the least that a device could have cost, had every slot been known. A program for HiGHS.

    least   sum(need x import − spare x export + MISSED_PRICE x (over + spilt + missed)) − rest x efficiency x held
    with    import + over − export = net load + drawn − given                                      in each slot
            held after = keep x held before − drain + gain x drawn − given / efficiency + spilt
            held after + missed >= least
    within  power, most, and import at most what the connection allows

Real numbers and no rounding of a Wh, so nothing that follows whole Wh costs less. No device draws and gives at once:
that throws energy away, which pays in slots with a price below zero only, so that these have a number of their own that
is 0 or 1 (draw <= power x number, give <= power x (1 − number)), and the program is a mixed-integer one.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from transactive.core.errors import require
from transactive.core.units import PPM, IntArray
from transactive.trading.devices.plan import MISSED_PRICE
from transactive.trading.devices.stores import Stores


def least_cost_n(
    stores: Stores,
    device: int,
    net_load_wh: IntArray,
    need_price: IntArray,
    spare_price: IntArray,
    rest_price: int,
    held_wh: int,
    most_import_wh: int,
) -> tuple[float, float]:
    """Least cost of a home with one device, what it holds at the end credited [n¤]; and Wh that had to be missed.

    net_load_wh, need_price, spare_price: (slots,), prices in µ¤/kWh, spare nowhere above need. rest_price: what a Wh
    that the rest can give is worth. held_wh: at the start. The cost is without what missing a Wh is taken to cost.
    """
    slots = len(net_load_wh)
    gain, efficiency, keep = (
        int(ppm[device]) / PPM for ppm in (stores.gain_ppm, stores.efficiency_ppm, stores.keep_ppm)
    )
    draw_wh, give_wh, least_wh, most_wh, drain_wh = (
        wh[:slots, device] for wh in (stores.draw_wh, stores.give_wh, stores.least_wh, stores.most_wh, stores.drain_wh)
    )
    either = np.flatnonzero((spare_price < 0) & (draw_wh > 0) & (give_wh > 0))
    one, none = np.ones(slots), np.zeros(slots)
    free, worth, before = one * np.inf, none.copy(), none.copy()
    worth[-1], before[0] = -rest_price * efficiency, keep * held_wh
    missed_price, nothing = one * MISSED_PRICE, np.zeros(3 * len(either))
    costs = np.concatenate(
        (need_price, -spare_price, none, none, worth, need_price + MISSED_PRICE, *(missed_price,) * 2, none, nothing)
    )
    bounds = (draw_wh * one, give_wh * one, most_wh * one)
    most = (one * most_import_wh, free, *bounds, *(free,) * 4, one[either], *(free[either],) * 2)
    slot = np.arange(slots)
    buy, sell, draw, give, held, over, spilt, missed, above = (slot + slots * k for k in range(9))
    meter, store, bound = slot, slots + slot, 2 * slots + slot
    entries: tuple[tuple[Any, Any, Any], ...] = (
        *((column, meter, sign * one) for column, sign in ((buy, 1), (over, 1), (sell, -1), (draw, -1), (give, 1))),
        (draw, store, -gain * one),
        (give, store, one / efficiency),
        (held, store, one),
        (held[:-1], store[1:], -keep * one[1:]),
        (spilt, store, -one),
        *((column, bound, sign * one) for column, sign in ((held, 1), (missed, 1), (above, -1))),
    )
    draws, idle, stands = (9 * slots + np.arange(len(either)) + len(either) * k for k in range(3))
    drawing, giving = (3 * slots + np.arange(len(either)) + len(either) * k for k in range(2))
    entries += (
        *((column, drawing, one[either]) for column in (draw[either], idle)),
        (draws, drawing, -draw_wh[either]),
        *((column, giving, one[either]) for column in (give[either], stands)),
        (draws, giving, give_wh[either]),
    )
    sides = (net_load_wh, before - drain_wh, least_wh, none[either], give_wh[either])
    found = solved(costs, np.concatenate(most), np.concatenate(sides), entries, draws)
    missed_wh = float(found[np.concatenate((over, spilt, missed))].sum())
    return float(costs @ found) - MISSED_PRICE * missed_wh, missed_wh


def solved(costs: Any, most: Any, sides: Any, entries: Any, whole: IntArray) -> Any:  # noqa: ANN401 - arrays of floats
    """Find least-cost columns from zero to `most` with rows equal to `sides`; entries: columns, rows and values.

    whole: columns that are whole numbers.
    """
    import highspy

    program: Any = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(costs), len(sides)
    program.col_cost_ = costs.astype(np.float64)
    program.col_lower_, program.col_upper_ = np.zeros(len(costs)), most.astype(np.float64)
    program.row_lower_ = program.row_upper_ = sides.astype(np.float64)
    column, row, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    order = np.lexsort((row, column))
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.searchsorted(column[order], np.arange(len(costs) + 1)).astype(np.int32)
    program.a_matrix_.index_, program.a_matrix_.value_ = row[order].astype(np.int32), value[order]
    solver: Any = cast("Any", highspy.Highs.__base__)()  # the class without callbacks, whose set-up prints a greeting
    solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the solver's own signature
    if len(whole):
        kinds = [highspy.HighsVarType.kContinuous] * len(costs)
        for column_number in whole.tolist():
            kinds[column_number] = highspy.HighsVarType.kInteger
        program.integrality_ = kinds
        solver.setOptionValue("mip_rel_gap", 0.0)
    solver.passModel(program)
    solver.run()
    require(solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, "a schedule's program has an optimum")
    return np.array(solver.getSolution().col_value)
