"""A distributor's allocation from its report, held against the meters to the Wh.

The report says for each meter what of its import it used of what was shared, or what of its export was left over. What
does not add up is refused: nobody may use more than it took or sell more than it gave, and what is used was given. A
report with fractions of a Wh may be off by what rounding each meter to whole Wh explains, not by more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.units import BoolArray, IntArray, share_capped
from transactive.metering.exports.layout import METER
from transactive.metering.exports.reader import Export, ReadOptions, read_export
from transactive.metering.exports.times import START
from transactive.metering.homes import MeterOwners
from transactive.tabular.source import Source

if TYPE_CHECKING:
    import polars as pl

NOT_REPORTED = -1
USED, SURPLUS, IMPORT, EXPORT = "shared_used", "surplus", "import", "export"


class Reported(NamedTuple):
    """What a report allots [Wh], each (slots, members): used of what was shared, and given to it.

    Both are NOT_REPORTED in a slot of which the report says nothing.
    """

    used_wh: IntArray
    given_wh: IntArray


def read_report(
    source: Source, options: ReadOptions, owners: MeterOwners, starts: IntArray, taken_wh: IntArray, given_wh: IntArray
) -> Reported:
    """What a report allots in slots that start at `starts` [Unix s].

    taken_wh, given_wh: import and export of the members as their meters counted them [Wh], (slots, members). Raises
    DataError naming the file, the member and the time of the first thing that does not add up.
    """
    export = read_export(source, options)
    for register in (USED, SURPLUS):
        if register not in export.registers:
            raise DataError(
                f"{export.name}: no column says {register}, which of it was shared; name it in a profile"
                f' (register = "{register}"), or share by another key'
            )
    used, surplus, seen = (_table(export, register, owners, starts) for register in (USED, SURPLUS, EXPORT))
    _refuse_other_meters(export, owners, starts, taken_wh, given_wh)
    _refuse_missing(export, owners, starts, used[1], taken_wh)
    beyond = used[0] > taken_wh
    _refuse(
        beyond, "used {} Wh of what was shared, and its meter took {} Wh", used[0], taken_wh, export, owners, starts
    )
    beyond = surplus[0] > given_wh
    _refuse(beyond, "had {} Wh left over, and its meter gave {} Wh", surplus[0], given_wh, export, owners, starts)
    gave = np.where(seen[1], given_wh - surplus[0], 0)
    off = np.abs(gave.sum(axis=1) - used[0].sum(axis=1))
    slack = (used[1] | seen[1]).sum(axis=1) if export.fractions else 0
    if (off > slack).any():
        at = int(np.argmax(off > slack))
        raise DataError(
            f"{export.name}: at {time_text(int(starts[at]))} members used {int(used[0][at].sum()):,} Wh of what was"
            f" shared, and {int(gave[at].sum()):,} Wh were given to it; ask the distributor for a corrected report"
        )
    rounded = np.flatnonzero(off)
    for at in rounded.tolist():
        gave[at] = share_capped(int(used[0][at].sum()), gave[at], given_wh[at])
    silent = ~(used[1] | seen[1]).any(axis=1)
    used[0][silent], gave[silent] = NOT_REPORTED, NOT_REPORTED
    return Reported(used[0], gave)


def _table(export: Export, register: str, owners: MeterOwners, starts: IntArray) -> tuple[IntArray, BoolArray]:
    """Wh of a register, (slots, members), and where the file has one; a member's meters are added up."""
    import polars as pl

    shape = (len(starts), len(owners.members))
    wh, there = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    if register not in export.registers:
        return wh, there
    rows, columns, frame = _places(export.frame.filter(pl.col(register).is_not_null()), owners, starts)
    np.add.at(wh, (rows, columns), frame[register].to_numpy())
    there[rows, columns] = True
    return wh, there


def _places(frame: pl.DataFrame, owners: MeterOwners, starts: IntArray) -> tuple[IntArray, IntArray, pl.DataFrame]:
    """Slot and member of each row that belongs to one, and these rows."""
    import polars as pl

    known = pl.DataFrame({METER: [meter for meter, _ in owners.meters], "owner": [owner for _, owner in owners.meters]})
    slots = pl.DataFrame({START: starts, "slot": np.arange(len(starts))})
    frame = frame.join(known, on=METER).join(slots, on=START)
    members = {member: index for index, member in enumerate(owners.members)}
    since, until = owners.membership.since, owners.membership.until
    columns = frame["owner"].replace_strict(members, return_dtype=pl.Int64).to_numpy()
    begun = frame[START].to_numpy()
    present = (since[columns] <= begun) & (begun < until[columns])
    return frame["slot"].to_numpy()[present], columns[present], frame.filter(pl.Series(present))


def _refuse_other_meters(
    export: Export, owners: MeterOwners, starts: IntArray, taken_wh: IntArray, given_wh: IntArray
) -> None:
    """Refuse a report whose own meters say something else than the readings."""
    for register, metered in ((IMPORT, taken_wh), (EXPORT, given_wh)):
        said, there = _table(export, register, owners, starts)
        words = f"has {{}} Wh of {register} in the report, and {{}} Wh in the readings"
        _refuse(there & (said != metered), words, said, metered, export, owners, starts)


def _refuse_missing(
    export: Export, owners: MeterOwners, starts: IntArray, there: BoolArray, taken_wh: IntArray
) -> None:
    """Refuse a slot that the report has of some, and not of a member whose meter took energy."""
    missing = ~there & there.any(axis=1, keepdims=True) & (taken_wh > 0)
    words = "has no allotted energy ({}) although it took {} Wh"
    _refuse(missing, words, np.zeros_like(taken_wh), taken_wh, export, owners, starts)


def _refuse(
    bad: BoolArray, words: str, said: IntArray, metered: IntArray, export: Export, owners: MeterOwners, starts: IntArray
) -> None:
    """Name the first place where something is wrong."""
    if not bad.any():
        return
    slot, member = (int(place[0]) for place in np.nonzero(bad))
    told = words.format(f"{int(said[slot, member]):,}", f"{int(metered[slot, member]):,}")
    raise DataError(
        f"{export.name}: {owners.members[member]} at {time_text(int(starts[slot]))} {told}; ask the distributor for a"
        " corrected report, or correct the readings"
    )
