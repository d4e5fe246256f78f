"""What needs somebody's attention, found in the run's own figures: the finding, the evidence, where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactive.core.items import Item, ItemState
from transactive.core.units import PPM
from transactive.store.read.runs import Row, Run
from transactive.store.read.totals import MemberTotal, RunTotals
from transactive.texts.formatting import Words, count_text, kwh_text
from transactive.texts.language import N_, _, known, ngettext

WORTH_TELLING_WH = 1_000
"""A member that sold less than this is not said to deliver too little."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding. level: bad, warn or info. slot: where to look, if it is one. member: whom it concerns, if one.

    item: what detection found, which the operator acknowledges and closes.
    """

    level: str
    title: str
    reason: str
    slot: int | None = None
    member: int | None = None
    item: Item | None = None


def issues(
    run: Run, totals: RunTotals, words: Words, lines: Sequence[Row] = (), items: Sequence[Item] = ()
) -> list[Notice]:
    """All findings, gravest first. lines: those that passed their limits, as `grid_queries.lines_over` tells them.

    items: what detection found; those that are closed are left out.
    """
    found = _books(totals, words) + _meters(totals) + [_line(row, run, words) for row in lines]
    found += [of_item(run, item, words) for item in items if item.state != ItemState.CLOSED]
    for index, member in enumerate(totals.members):
        found += _member(index, run.names[index], member, words)
    found += _untraded(run, totals, words)
    rank = {"bad": 0, "warn": 1, "info": 2}
    return sorted(found, key=lambda issue: rank[issue.level])


def of_item(run: Run, item: Item, words: Words) -> Notice:
    """An item of detection, with its evidence, span, energy at stake and confidence."""
    who = _("The feeder") if item.member is None else run.names[item.member]
    confidence = f"{item.confidence_ppm / PPM * 100:.0f}"
    reason = _(
        "%(evidence)s; %(first)s to %(last)s, %(kwh)s kWh at stake, confidence %(confidence)s %%",
        evidence=known(item.evidence),
        first=words.short_day(item.first),
        last=words.short_day(max(item.end - 1, item.first)),
        kwh=kwh_text(item.energy_wh),
        confidence=confidence,
    )
    level = "info" if item.state == ItemState.ACKNOWLEDGED else "warn"
    return Notice(
        level, _("%(who)s: %(finding)s", who=who, finding=known(item.kind)), reason, member=item.member, item=item
    )


def own_findings(run: Run, items: Sequence[Item], words: Words) -> list[tuple[int, str, str]]:
    """Findings that are not closed, as a member's page lists them: number, what was found, evidence."""
    return [
        (item.number, known(item.kind.capitalize()), of_item(run, item, words).reason)
        for item in items
        if item.state != ItemState.CLOSED
    ]


def _books(totals: RunTotals, words: Words) -> list[Notice]:
    found = []
    if totals.money_residual_n:
        found.append(
            Notice(
                "bad",
                _("Money does not balance"),
                _("%(exact)s left in escrow or pool", exact=words.exact(totals.money_residual_n)),
            )
        )
    if totals.energy_residual_wh:
        found.append(
            Notice(
                "bad",
                _("Energy does not balance"),
                _(
                    "%(wh)s Wh without a posting",
                    wh=count_text(totals.energy_residual_wh),
                ),
            )
        )
    return found


def _meters(totals: RunTotals) -> list[Notice]:
    gaps = totals.slots - totals.complete_slots
    return (
        [
            Notice(
                "bad",
                _("Readings are missing"),
                ngettext("%(num)s slot without all meters", "%(num)s slots without all meters", gaps),
            )
        ]
        if gaps
        else []
    )


LEFT = N_("%(kwh)s kWh that no device could take or give; last %(when)s")
WATCHED = N_("%(kwh)s kWh beyond it: its network only watches; last %(when)s")


def _line(row: Row, run: Run, words: Words) -> Notice:
    """A line that passed its limit; there is none without a network."""
    left = LEFT if run.community.grid.manage else WATCHED
    when = f"{words.short_day(row['last'])}, {words.span(row['last'], run.clock.length)}"
    title = ngettext(
        "Line %(line)s passed its limit in %(num)s slot",
        "Line %(line)s passed its limit in %(num)s slots",
        row["slots"],
        line=run.network.label(row["line"]),
    )
    return Notice("warn", title, _(left, kwh=kwh_text(row["energy_wh"]), when=when), slot=row["last"])


def _member(index: int, name: str, member: MemberTotal, words: Words) -> list[Notice]:
    found = []
    if member.refused:
        reason = _(
            "free balance up to %(money)s short of the lock; top up", money=words.money(member.refused_missing_n)
        )
        found.append(
            Notice(
                "warn",
                ngettext(
                    "%(name)s: %(num)s order refused", "%(name)s: %(num)s orders refused", member.refused, name=name
                ),
                reason,
                member=index,
            )
        )
    if member.saved_n < 0:
        reason = _("against the supplier’s tariff, before battery credit")
        found.append(
            Notice(
                "warn",
                _("%(name)s is %(money)s worse off so far", name=name, money=words.money(-member.saved_n)),
                reason,
                member=index,
            )
        )
    if member.advanced_n:
        title = _("%(name)s: the supplier advanced %(money)s", name=name, money=words.money(member.advanced_n))
        found.append(Notice("warn", title, _("its account could not pay its energy; still owed"), member=index))
    if member.sold_wh >= WORTH_TELLING_WH and member.short_wh * 2 > member.sold_wh:
        reason = _(
            "%(kwh)s of %(kwh2)s kWh sold ahead had to be replaced",
            kwh=kwh_text(member.short_wh),
            kwh2=kwh_text(member.sold_wh),
        )
        found.append(Notice("info", _("%(name)s often delivers less than it sold", name=name), reason, member=index))
    return found


def _untraded(run: Run, totals: RunTotals, words: Words) -> list[Notice]:
    if not totals.untraded:
        return []
    last = totals.untraded[-1]
    when = f"{words.short_day(last)}, {words.span(last, run.clock.length)}"
    title = ngettext(
        "%(num)s slot without a trade, though both sides had orders",
        "%(num)s slots without a trade, though both sides had orders",
        len(totals.untraded),
    )
    return [Notice("info", title, _("no price suited both; last %(when)s", when=when), slot=last)]
