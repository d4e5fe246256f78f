"""The community page: was everyone served, do the books equal the chain? All figures from the run's database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from transactive.core.items import ItemState
from transactive.core.slots import time_text
from transactive.store.read.grid import lines_over
from transactive.store.read.runs import OutcomePart, Reader, Row, Run, RunProgress
from transactive.store.read.totals import RunTotals, checked_block
from transactive.texts.formatting import Words, count_text, kwh_text
from transactive.texts.language import _, figure
from transactive.web.api.item_shapes import seen_by
from transactive.web.charts.market import day_chart
from transactive.web.pages.parts.common import covered, flow_part, freshness, market_part, slot_line
from transactive.web.pages.parts.issues import Notice, issues, of_item
from transactive.web.pages.parts.plans import plan_notices
from transactive.web.pages.parts.sharing import community_words
from transactive.web.pages.parts.times import slot_mark
from transactive.web.pages.parts.together.headline import credit_words, headline
from transactive.web.viewers import Viewer

STRIP = 24
MOST_MEMBERS = 50
"""Members that are listed at once, those that saved most."""


def community_page(
    reader: Reader,
    run: Run,
    position: RunProgress,
    totals: RunTotals,
    viewer: Viewer,
    *,
    chosen: int | None,
    idle: float,
    find: str = "",
    muted: Collection[int] = (),
) -> dict[str, Any]:
    """Everything that the community page shows.

    chosen: the slot whose day, market and flow are shown. find: part of the names of the members that are listed.
    muted: findings that the operator left out of the list for now.
    """
    words = Words(run.community.currency, run.community.zone)
    items = seen_by(reader.store, run, viewer)
    cleared = position.cleared if position.cleared is not None else run.first_slot
    newest = position.delivered if position.delivered is not None else cleared
    slot = min(chosen if chosen is not None else newest, cleared)
    window = _window(run, slot, newest, cleared)
    strip = reader.slots(window.start, window.stop - 1)
    day = reader.slots(words.day_start(slot), words.next_day(slot) - 1)
    row = next(r for r in day if r["slot"] == slot)
    shown = _members(totals, run, viewer, words, find)
    plans = plan_notices(run, reader.store.path.parent, words)
    return {
        "run": run,
        "words": words,
        "viewer": viewer,
        "chosen": slot,
        "following": chosen is None,
        "fresh": freshness(run, position, _meters(reader, position), idle, words),
        "head": headline(run, totals, newest, words, _shared(reader, run, day, position)),
        "now": _now(reader, run, position, words),
        "strip": _strip(strip, slot, run, words),
        "day": _day(day, run, slot, position, words),
        "market": market_part(row, reader.orders(slot), run, words) if viewer.sees_all else None,
        "row": row,
        "choices": _choices([*strip, *day], run, words),
        "flow": flow_part(reader, slot, run, words),
        "issues": [
            issue
            for issue in (*plans, *issues(run, totals, words, lines_over(reader), items))
            if _may_see(issue, run, viewer) and (issue.item is None or issue.item.number not in muted)
        ],
        "muted": [
            of_item(run, item, words) for item in items if item.state != ItemState.CLOSED and item.number in muted
        ],
        "closed": [of_item(run, item, words) for item in items if item.state == ItemState.CLOSED],
        "books": _books(totals),
        "proof_state": proof(totals, run, reader.outcome(), words),
        "members": shown[:MOST_MEMBERS],
        "more_members": max(len(shown) - MOST_MEMBERS, 0),
        "find": find,
        "many": viewer.sees_all and len(totals.members) > MOST_MEMBERS,
        "saved": words.money(totals.saved_n),
        "credit": credit_words(reader.outcome(), totals, words),
    }


def _window(run: Run, slot: int, newest: int, cleared: int) -> range:
    """The 24 slots of the strip: the newest ones, or the block of the chosen slot if it lies further back."""
    length = run.clock.length
    first = max(newest - (STRIP - 1) * length, run.first_slot)
    if slot < first:
        first = run.first_slot + (slot - run.first_slot) // (STRIP * length) * STRIP * length
        return range(first, first + STRIP * length, length)
    return range(first, cleared + length, length)


def _choices(rows: Sequence[Row], run: Run, words: Words) -> list[tuple[int, str, str]]:
    """Slots to choose from, newest first: start, times, day."""
    by_slot = {row["slot"]: row for row in rows}
    return [
        (slot, words.span(slot, run.clock.length), _kind(by_slot[slot], words))
        for slot in sorted(by_slot, reverse=True)
    ]


def _kind(row: Row, words: Words) -> str:
    """What a choice of slot adds to its times: its day, or that it is still to come."""
    return _("cleared, to come") if row["meters"] is None else words.short_day(row["slot"])


def _meters(reader: Reader, position: RunProgress) -> int:
    return 0 if position.delivered is None else len(reader.member_rows(position.delivered))


def _shared(reader: Reader, run: Run, day: Sequence[Row], position: RunProgress) -> str:
    """What neighbours shared on the day, where keys decide in place of a market."""
    done = [r["slot"] for r in day if position.delivered is not None and r["slot"] <= position.delivered]
    return "" if run.community.sharing_in_force is None or not done else community_words(reader, run, done)


def _now(reader: Reader, run: Run, position: RunProgress, words: Words) -> dict[str, Any]:
    """The slot in delivery with its lit step; of a finished run the last slot, final."""
    length = run.clock.length
    done = position.delivered
    final = done is not None and done >= run.last_slot
    slot = run.last_slot if final else run.first_slot if done is None else done + length
    found = reader.slots(slot, slot)
    if not found:  # its gate closes any moment
        slot = done if done is not None else run.first_slot
        found = reader.slots(slot, slot)
    row = found[0]
    settled = 0 if done is None else run.number(done)
    return {
        "slot": slot,
        "span": words.span(slot, length),
        "steps": slot_line(
            row, run, words, postings=len(reader.postings(slot)), bundles=len(reader.certificates(slot))
        ),
        "final": final,
        "settled": settled,
        "gate": None if position.cleared is None else words.span(position.cleared, length),
        "day": words.short_day(slot),
    }


def _when(row: Row, run: Run, words: Words) -> str:
    """A slot by its times and its day."""
    return f"{words.span(row['slot'], run.clock.length)}, {words.short_day(row['slot'])}"


def _strip(rows: Sequence[Row], chosen: int, run: Run, words: Words) -> dict[str, Any]:
    """One bar a slot, and the same as a table."""
    members = len(run.community.members)
    delivered = [row for row in rows if row["meters"] is not None]
    bars = [
        {
            "slot": row["slot"],
            "at": time_text(row["slot"]),
            "share": covered(row),
            "chosen": row["slot"] == chosen,
            "flag": _("readings are missing")
            if row["meters"] < members
            else _("orders refused")
            if row["refusals"]
            else "",
            "label": _(
                "%(when)s: %(covered)s %% from the community", when=_when(row, run, words), covered=covered(row)
            ),
        }
        for row in delivered
    ]
    table = [
        (
            _when(row, run, words),
            f"{covered(row)}",
            kwh_text(row["consumption_wh"], 3),
            kwh_text(max(row["import_wh"] - row["export_wh"], 0), 3),
            str(row["refusals"]),
        )
        for row in delivered
    ]
    axis = [words.clock(row["slot"]) if i % 6 == 0 else "" for i, row in enumerate(delivered)]
    return {"bars": bars, "rows": table, "axis": axis, "newest": bool(rows) and rows[-1]["slot"] >= chosen}


def _day(rows: Sequence[Row], run: Run, slot: int, position: RunProgress, words: Words) -> dict[str, Any]:
    """Price and traded energy of the chosen slot's day, and the days beside it."""
    start, length = words.day_start(slot), run.clock.length
    cleared = position.cleared if position.cleared is not None else run.first_slot
    traded = sum(row["traded_wh"] for row in rows)
    before, after = words.before(slot), words.after(slot)
    return {
        "chart": day_chart(rows, run, slot, position.delivered, words),
        "title": words.day(start),
        "traded": kwh_text(traded),
        "rows": [
            (
                slot_mark(row["slot"], length, words),
                words.price(row["supply_price"], 2),
                words.price(row["price"], 2) if row["traded_wh"] else "–",
                kwh_text(row["traded_wh"], 3),
                _("cleared") if row["meters"] is None else _("delivered"),
            )
            for row in rows
        ],
        "before": time_text(max(before, run.first_slot)) if start > run.first_slot else None,
        "after": time_text(min(after, cleared)) if words.next_day(start) <= cleared else None,
    }


def _may_see(issue: Notice, run: Run, viewer: Viewer) -> bool:
    """Whether an issue names nobody but the viewer."""
    return viewer.sees_all or issue.member is None or run.names[issue.member] == viewer.member


def _books(totals: RunTotals) -> list[tuple[str, str, str]]:
    """Figures that say whether the books balance: name, figure, unit."""
    gas = totals.gas + totals.netting_gas
    homes = len(totals.members)
    return [
        (_("Money in − out"), count_text(totals.money_residual_n), "n¤"),
        (_("Bought − sold"), count_text(totals.energy_residual_wh), "Wh"),
        (_("Gas per home"), count_text(gas // homes) if totals.blocks else "–", ""),
    ]


def proof(totals: RunTotals, run: Run, outcome: OutcomePart | None, words: Words) -> dict[str, str]:
    """Ledger against chain. Green only where the two were compared, and it says at which block."""
    last, checked = totals.last_block, checked_block(totals, outcome)
    if last is None:
        text = _("The first block comes with the first slot.")
        return {"state": "none", "title": _("Nothing on chain yet"), "text": text, "hash": ""}
    span = f"{words.short_day(last['slot'])}, {words.span(last['slot'], run.clock.length)}"
    newest = _(
        "Newest slot in block %(number)s · %(span)s · %(commit_gas)s gas",
        number=count_text(last["number"]),
        span=span,
        commit_gas=count_text(last["commit_gas"]),
    )
    if checked is None:
        text = _("%(newest)s. The first comparison follows the first netting.", newest=newest)
        return {
            "state": "none",
            "title": _("Ledger not yet compared with the chain"),
            "text": text,
            "hash": last["hash"],
        }
    title = _("Ledger equals chain at block %(checked)s", checked=count_text(checked))
    return {
        "state": "ok",
        "title": title,
        "text": _("Every balance compared there. %(newest)s", newest=newest),
        "hash": last["hash"],
    }


def _members(totals: RunTotals, run: Run, viewer: Viewer, words: Words, find: str) -> list[dict[str, Any]]:
    """Members by saving, as far as the viewer may see them, whose names contain a text."""
    wanted = find.casefold()
    most = max([abs(member.saved_n) for member in totals.members] + [1])
    shown = []
    for index, (device, total) in enumerate(zip(run.community.members, totals.members, strict=True)):
        if (viewer.sees_all or device.id == viewer.member) and wanted in f"{device.id} {device.label}".casefold():
            level = total.charged_wh * 100 // device.battery_wh if device.battery_wh else None
            shown.append(
                {
                    "index": index,
                    "id": device.label,
                    "solar": figure(f"{device.pv_w / 1000:g}"),
                    "bought": kwh_text(total.bought_wh),
                    "sold": kwh_text(total.sold_wh),
                    "level": level,
                    "saved": words.money(total.saved_n),
                    "exact": words.exact(total.saved_n),
                    "saved_n": total.saved_n,
                    "bar": abs(total.saved_n) * 100 // most,
                }
            )
    return sorted(shown, key=lambda member: -member["saved_n"])
