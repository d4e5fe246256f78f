"""From meters to members: each meter its owner's of the time, meters of one added up, nothing of who is no member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.community.members import Member
from transactive.core.community.membership import Membership
from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.tables import ReadingQuality
from transactive.core.units import PPM
from transactive.metering.exports.layout import QUALITY
from transactive.metering.exports.registers import BOTH_WAYS, CONSUMPTION, GENERATION
from transactive.tabular.source import Source

if TYPE_CHECKING:
    import polars as pl

ENERGY = (CONSUMPTION, GENERATION, BOTH_WAYS)
PART = "part_ppm"
"""Column: what of a meter is its owner's [ppm]."""


def _divided(owned: pl.DataFrame) -> pl.DataFrame:
    """Rows of meters with each owner's part: cut where the parts of the owners before it, in their order, end.

    The cuts are rounded down, so that the parts of a reading make the reading, to the Wh. What the grid gave or took on
    balance, what was used behind the meter, and what flowed both ways are each cut, and each part is within one of its
    own: so no owner gives what another takes because of a cut.
    """
    import polars as pl

    if (owned[PART] == PPM).all():
        return owned
    owned = owned.sort("number", maintain_order=True)
    upto = pl.col(PART).cum_sum().over("slot_start", "meter")

    def cut(energy: pl.Expr) -> pl.Expr:
        return energy * upto // PPM - energy * (upto - pl.col(PART)) // PPM

    used, made = pl.col(CONSUMPTION), pl.col(GENERATION)
    taken, given = (used - made).clip(lower_bound=0), (made - used).clip(lower_bound=0)
    behind = cut(used - taken)
    return owned.with_columns(
        (cut(taken) + behind).alias(CONSUMPTION),
        (cut(given) + behind).alias(GENERATION),
        cut(pl.col(BOTH_WAYS)).alias(BOTH_WAYS),
    )


@dataclass(frozen=True, slots=True)
class MeterOwners:
    """Whose each meter is, and when each is a member. meters: pairs of a meter and its member's id.

    A meter may be that of one member first and of another later. parts_ppm: of meters that several have together, by
    such a pair.
    """

    members: Sequence[str]
    meters: Sequence[tuple[str, str]]
    membership: Membership
    parts_ppm: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, members: tuple[Member, ...]) -> MeterOwners:
        """MeterOwners of a community: a member without meters has one that is named by its id."""
        parts = {(meter, member.id): ppm for member in members for meter, ppm in member.meter_parts_ppm.items()}
        meters = [
            (meter, member.id)
            for member in members
            for meter in (*member.meters, *member.meter_parts_ppm) or (member.id,)
        ]
        return cls([member.id for member in members], meters, Membership.of(members), parts)

    @property
    def plain(self) -> bool:
        """Whether each has one meter under its own name, and is a member always."""
        return self.membership.fixed and all(meter == member for meter, member in self.meters)

    @property
    def known(self) -> list[str]:
        """Names of all meters."""
        return list(dict.fromkeys(meter for meter, _ in self.meters))

    def gathered(self, frame: pl.DataFrame, source: Source, *, substitute: bool = False) -> pl.DataFrame:
        """Rows of members from rows of meters, with zeros where somebody is no member and not a row of that time.

        Columns slot_start, member, row, quality (the worst of its meters) and the energies; rows stand in no order. A
        slot in which some of a member's meters have a reading and others none is left out if gaps are to be
        substituted; else it raises DataError.
        """
        import polars as pl

        if self.plain:
            return frame
        starts = frame["slot_start"].unique().sort().to_numpy()
        found = self._added_up(frame, source, substitute=substitute)
        slots, members = np.nonzero(~self.membership.in_slots(starts))
        zeros = pl.DataFrame(
            {"slot_start": starts[slots], "member": [self.members[member] for member in members.tolist()]},
            schema={"slot_start": frame.schema["slot_start"], "member": pl.String},
        ).with_columns(
            pl.lit(int(ReadingQuality.METERED)).cast(frame.schema[QUALITY]).alias(QUALITY),
            *(pl.lit(0, pl.Int64).alias(column) for column in ENERGY),
        )
        return pl.concat([found, zeros], how="diagonal")

    def _added_up(self, frame: pl.DataFrame, source: Source, *, substitute: bool) -> pl.DataFrame:
        """Readings of a member's meters added up while it is one; each of them has one where another has."""
        import polars as pl

        number = {member: index for index, member in enumerate(self.members)}
        since, until = (column.tolist() for column in (self.membership.since, self.membership.until))
        owners = pl.DataFrame(
            [
                (
                    meter,
                    member,
                    number[member],
                    since[number[member]],
                    until[number[member]],
                    self.parts_ppm.get((meter, member), PPM),
                )
                for meter, member in self.meters
            ],
            schema={
                "meter": pl.String,
                "owner": pl.String,
                **dict.fromkeys(("number", "since", "until", PART), pl.Int64),
            },
            orient="row",
        )
        at = pl.col("slot_start")
        owned = frame.rename({"member": "meter"}).join(owners, on="meter").filter(at >= pl.col("since"))
        owned = _divided(owned.filter(at < pl.col("until")).rename({"owner": "member"}))
        found = owned.group_by("slot_start", "member").agg(
            pl.col("row").min(),
            pl.col("meter"),
            pl.col(QUALITY).max(),
            *(pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum()) for column in ENERGY),
        )
        needed = owners.group_by(pl.col("owner").alias("member")).agg(
            pl.len().alias("needed"), pl.col("meter").alias("all")
        )
        short = found.join(needed, on="member").filter(pl.col("meter").list.len() != pl.col("needed"))
        if len(short) and substitute:
            found = found.join(short, on=["slot_start", "member"], how="anti")
        elif len(short):
            first = short.sort("slot_start", "member").row(0, named=True)
            lacking = next(meter for meter in first["all"] if meter not in first["meter"])
            raise DataError(f"{source.name}: no reading of {lacking} at {time_text(first['slot_start'])}; fill the gap")
        return found.drop("meter")
