"""Perfect foresight: the least that a battery could have cost, had every slot been known. A linear program in HiGHS.

    least   sum(need x import − spare x export + OVER_PRICE x over) − rest x efficiency x charge at the end
    with    import + over − export = net load + charge − discharge          in each slot
            charged after = charged before + charge − discharge / efficiency
    within  power, capacity, and import at most what the connection allows

Real numbers throughout and no rounding of a Wh, so nothing that follows whole Wh costs less. A charge that is thrown
away by charging and discharging at once is allowed, which pays at negative prices only.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from transactive.core.errors import require
from transactive.core.units import PPM, IntArray
from transactive.trading.schedule import OVER_PRICE


def least_cost_n(
    net_load_wh: IntArray,
    need_price: IntArray,
    spare_price: IntArray,
    rest_price: int,
    *,
    capacity_wh: int,
    power_wh: int,
    efficiency_ppm: int,
    initial_wh: int,
    most_import_wh: int,
) -> tuple[float, float]:
    """Least cost of one home with the charge at the end credited [n¤], and Wh above the limit that nothing could avoid.

    net_load_wh, need_price, spare_price: (slots,), prices in µ¤/kWh, spare nowhere above need. rest_price: what a Wh
    that the charge at the end can deliver is worth. The cost is without what the program takes Wh above the limit for.
    """
    slots, efficiency = len(net_load_wh), efficiency_ppm / PPM
    one, none = np.ones(slots), np.zeros(slots)
    worth = none.copy()
    worth[-1] = -rest_price * efficiency
    costs = np.concatenate((need_price, -spare_price, none, none, worth, need_price + OVER_PRICE))
    free = one * np.inf
    most = (one * most_import_wh, free, one * power_wh, one * power_wh, one * capacity_wh, free)
    slot = np.arange(slots)
    buy, sell, charge, discharge, charged, over = (slot + slots * k for k in range(6))
    entries = (
        *(
            (column, slot, sign * one)
            for column, sign in ((buy, 1), (over, 1), (sell, -1), (charge, -1), (discharge, 1))
        ),
        (charge, slots + slot, -one),
        (discharge, slots + slot, one / efficiency),
        (charged, slots + slot, one),
        (charged[:-1], slots + slot[1:], -one[1:]),
    )
    before = none.copy()
    before[0] = initial_wh
    found = _solved(costs, np.concatenate(most), np.concatenate((net_load_wh, before)), entries)
    over_wh = float(found[over].sum())
    return float(costs @ found) - OVER_PRICE * over_wh, over_wh


def _solved(costs: Any, most: Any, sides: Any, entries: Any) -> Any:  # noqa: ANN401 - arrays of floats
    """Least-cost columns from zero to `most` with rows equal to `sides`; entries: columns, rows and values."""
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
    solver.passModel(program)
    solver.run()
    require(solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, "a schedule's program has an optimum")
    return np.array(solver.getSolution().col_value)
