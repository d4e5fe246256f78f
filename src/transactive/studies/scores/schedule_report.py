"""What a battery's backtest found, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from transactive.core.slots import time_text
from transactive.core.units import NANO
from transactive.studies.battery import Kept
from transactive.studies.recordings.days import Days


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to run the batteries."""

    no_control: Kept
    simple_rule: Kept
    as_in_a_run: Kept
    scheduled: Kept
    perfect_foresight: Kept


class Way(msgspec.Struct, frozen=True):
    """What one way to run the batteries came to: cost [n¤, as text], and Wh taken above the limit."""

    cost_n: str
    over_limit_wh: int


class Share(msgspec.Struct, frozen=True):
    """Costs of one member [n¤, as text] and its share of the possible saving; None where nothing could be saved."""

    member: str
    no_control_n: str
    simple_rule_n: str
    scheduled_n: str
    perfect_foresight_n: str
    share_of_possible_saving: float | None


class ScheduleReport(msgspec.Struct, frozen=True):
    """What `--json` prints.

    share_of_possible_saving: part of (no control − perfect foresight) that a plan anew in each slot saved;
    share_as_in_a_run: that one plan a day saved, made as a run makes it; share_above_simple_rule: part of (simple rule
    − perfect foresight) that a plan anew in each slot saved. capped_slots: those whose price lies below the export
    price, in which an export brings the price.
    """

    file: str
    slot_minutes: int
    gaps: int
    test_days: int
    test_since: str
    test_until: str
    capped_slots: int
    no_control: Way
    simple_rule: Way
    as_in_a_run: Way
    scheduled: Way
    perfect_foresight: Way
    share_of_possible_saving: float | None
    simple_rule_share: float | None
    share_as_in_a_run: float | None
    share_above_simple_rule: float | None
    members: list[Share]
    cpu_s: float


def report_of(file: str, days: Days, tested: range, ways: Ways, capped: int, cpu_s: float) -> ScheduleReport:
    """Sums over the members, and each member."""
    every = (ways.no_control, ways.simple_rule, ways.scheduled, ways.perfect_foresight)
    idle, simple, planned, best = (int(way.cost_n.sum()) for way in every)
    return ScheduleReport(
        file=file,
        slot_minutes=days.length // 60,
        gaps=days.gaps,
        test_days=len(tested) * days.length // 86_400,
        test_since=time_text(days.first_slot + tested.start * days.length),
        test_until=time_text(days.first_slot + tested.stop * days.length),
        capped_slots=capped,
        no_control=_way(ways.no_control),
        simple_rule=_way(ways.simple_rule),
        as_in_a_run=_way(ways.as_in_a_run),
        scheduled=_way(ways.scheduled),
        perfect_foresight=_way(ways.perfect_foresight),
        share_of_possible_saving=share(idle, planned, best),
        simple_rule_share=share(idle, simple, best),
        share_as_in_a_run=share(idle, int(ways.as_in_a_run.cost_n.sum()), best),
        share_above_simple_rule=share(simple, planned, best),
        members=list(map(_member, days.members, *(way.cost_n.tolist() for way in every))),
        cpu_s=cpu_s,
    )


def share(base_n: int, cost_n: int, best_n: int) -> float | None:
    """Part of the possible saving that was made; None where nothing could be saved."""
    return (base_n - cost_n) / (base_n - best_n) if base_n > best_n else None


def in_words(report: ScheduleReport) -> str:
    """The report for people."""
    head = (
        f"{report.file}: {len(report.members)} members, slots of {report.slot_minutes} minutes, {report.gaps} gaps;"
        f" {report.test_days} days from {report.test_since}"
    )
    lines = [head, "", f"{'':22}{'cost':>12}{'over limit':>16}   share of the possible saving"]
    rows = (
        ("battery stands still", report.no_control, 0.0),
        ("simple rule", report.simple_rule, report.simple_rule_share),
        ("planned as in a run", report.as_in_a_run, report.share_as_in_a_run),
        ("planned in each slot", report.scheduled, report.share_of_possible_saving),
        ("perfect foresight", report.perfect_foresight, 1.0),
    )
    for name, way, part in rows:
        part_text = "nothing to save" if part is None else f"{part:.1%}"
        lines.append(f"{name:22}{int(way.cost_n) / NANO:10.2f} ¤{way.over_limit_wh:13,} Wh   {part_text}")
    if report.share_above_simple_rule is not None:
        lines += ["", f"of what perfect foresight saves above the simple rule: {report.share_above_simple_rule:.1%}"]
    if report.capped_slots:
        lines += [f"{report.capped_slots} slots cost less than --export-price: there an export brings the price"]
    return "\n".join(lines)


def _way(kept: Kept) -> Way:
    return Way(str(int(kept.cost_n.sum())), int(kept.over_wh.sum()))


def _member(name: str, idle: int, simple: int, planned: int, best: int) -> Share:
    return Share(
        member=name,
        no_control_n=str(idle),
        simple_rule_n=str(simple),
        scheduled_n=str(planned),
        perfect_foresight_n=str(best),
        share_of_possible_saving=share(idle, planned, best),
    )
