"""Targets of the figures, kept in targets.toml so that one file says what the project promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from transactive.bench.report import Row
from transactive.core.errors import InputError

TARGETS = Path(__file__).with_name("targets.toml")


class BenchTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits for the row `name` of a bench, all inclusive; `source` says where they were promised."""

    bench: str
    name: str
    source: str
    unit: str | None = None
    value_at_most: float | None = None
    value_at_least: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError(f"target {self.name!r} has no limit; add e.g. ratio_at_most")
        if (self.value_at_most, self.value_at_least) != (None, None) and not self.unit:
            raise ValueError(f"target {self.name!r} limits a value; add its unit")

    @property
    def text(self) -> str:
        """The limits in words, e.g. "ratio ≤ 12"."""
        of_value, of_ratio = f" {self.unit}", ""
        limits = (
            ("value ≤", self.value_at_most, of_value),
            ("value ≥", self.value_at_least, of_value),
            ("ratio ≤", self.ratio_at_most, of_ratio),
            ("ratio ≥", self.ratio_at_least, of_ratio),
        )
        return ", ".join(f"{sign} {limit:,g}{unit}" for sign, limit, unit in limits if limit is not None)

    def met_by(self, row: Row) -> bool:
        """Whether the row is inside all limits; a figure that was not measured is not. Raises InputError for a unit."""
        if self.unit not in (None, row.unit):
            raise InputError(f"target {self.name!r} of bench {self.bench!r} is in {self.unit}, the row in {row.unit}")
        return (
            _inside(row.value, self.value_at_least, self.value_at_most)
            and _inside(row.ratio, self.ratio_at_least, self.ratio_at_most)
        )  # fmt: skip


class TargetFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All targets, one [[target]] a row."""

    target: tuple[BenchTarget, ...] = ()


def load_targets(known: Sequence[str], path: Path = TARGETS) -> tuple[BenchTarget, ...]:
    """Read the targets of all benches.

    Raises InputError for a file that is missing or malformed, for a target of a bench not `known`, which nothing would
    ever check, and for two targets of one row.
    """
    try:
        targets = msgspec.toml.decode(path.read_bytes(), type=TargetFile).target
    except FileNotFoundError:
        raise InputError("targets.toml is missing; install the package anew") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"targets.toml: {error}") from None
    for (bench, name), count in Counter((target.bench, target.name) for target in targets).items():
        if bench not in known:
            raise InputError(f"targets.toml: target {name!r} is for an unknown bench {bench!r}")
        if count > 1:
            raise InputError(f"targets.toml: bench {bench!r} has {count} targets for {name!r}; write one")
    return targets


def judge(rows: Iterable[Row], targets: Iterable[BenchTarget]) -> tuple[Row, ...]:
    """Fill in target and verdict of each row of one bench; a target without a row becomes a row that fails."""
    open_targets = {target.name: target for target in targets}
    judged = []
    for row in rows:
        target = open_targets.pop(row.name, None)
        judged.append(row if target is None else _judged(row, target))
    missing = (Row(name=target.name, value=None, unit=target.unit) for target in open_targets.values())
    judged += [_judged(row, open_targets[row.name]) for row in missing]
    return tuple(judged)


def _judged(row: Row, target: BenchTarget) -> Row:
    """The row with its target and verdict."""
    return msgspec.structs.replace(row, target=target.text, holds=target.met_by(row))


def _inside(figure: float | None, least: float | None, most: float | None) -> bool:
    """Whether the limits that are given are kept."""
    if least is None and most is None:
        return True
    return figure is not None and (least is None or figure >= least) and (most is None or figure <= most)
