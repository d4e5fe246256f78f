"""The member page: what did I save, what happens next, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.core.postings import IN_KG
from transactive.core.slots import time_text
from transactive.core.units import share
from transactive.insight.advice.saved import saved_by
from transactive.store.read.advice import read_advice
from transactive.store.read.carbon import by_source
from transactive.store.read.history.kept import kept_sums
from transactive.store.read.members import postings_of, qualities, saving, slots_of
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.store.read.totals import RunTotals
from transactive.texts.formatting import Words, count_text, kwh_text, percent
from transactive.texts.language import _, figure, known
from transactive.texts.shell import word
from transactive.web.charts.member import day_chart, saved_chart
from transactive.web.pages.parts.acting.acts import acts_card
from transactive.web.pages.parts.cheap_hours import cheap_hours
from transactive.web.pages.parts.common import freshness
from transactive.web.pages.parts.home.next_slot import next_part
from transactive.web.pages.parts.quality import quality_words
from transactive.web.pages.parts.sharing import member_words
from transactive.web.pages.parts.times import slot_mark
from transactive.web.pages.slot import POSTED, POSTED_ALONE
from transactive.web.viewers import Viewer


def member_page(
    reader: Reader,
    run: Run,
    position: RunProgress,
    totals: RunTotals,
    viewer: Viewer,
    *,
    member: int,
    chosen: int | None,
    idle: float,
) -> dict[str, Any]:
    """Everything that the page of one member shows. chosen: a time in the day that is drawn; something is delivered."""
    words, device = Words(run.community.currency, run.community.zone), run.community.members[member]
    newest = position.delivered if position.delivered is not None else run.first_slot
    start = words.day_start(chosen if chosen is not None else newest)
    span = start, min(words.next_day(start) - 1, newest)
    rows, advice = slots_of(reader, member, *span), read_advice(reader.store, member)
    return {
        "run": run,
        "words": words,
        "viewer": viewer,
        "fresh": freshness(run, position, len(run.community.members), idle, words),
        "name": device.id,
        "label": device.label,
        "members": run.community.ids if viewer.sees_all else [],
        "devices": _devices(run, member),
        "day": {
            "text": words.day(start),
            "at": time_text(start),
            "month": words.date(start)[:7],
            "start": start,
            "over": words.next_day(start) <= run.clock.end(newest),
        },
        "earlier": time_text(words.day_start(start - 1)) if start > run.first_slot else None,
        "later": time_text(words.next_day(start)) if words.next_day(start) <= newest else None,
        "head": _head(rows, words, _shared(reader, run, member, rows)),
        "quality": quality_words(qualities(reader, member, *span), len(rows)),
        "saved_chart": saved_chart(rows, run, start, words),
        "kpis": _kpis(rows, totals, run, member),
        "next": next_part(reader, run, position, totals, member, words, None if chosen is None else span),
        "acts": acts_card(reader, run, position, member, viewer, words),
        "chart": day_chart(rows, run, start, words),
        "day_rows": [_day_row(row, run, words) for row in rows],
        "cheap": cheap_hours(reader, run, newest, advice[0] if advice else None, words),
        "statement": _statement(reader, run, member, rows, words),
        "sources": _sources(rows, by_source(reader, member, span)),
        "reasons": _reasons(reader, member, newest, words),
        "advice": advice,
        "commands": _commands(reader, device.id),
    }


def _devices(run: Run, member: int) -> str:
    """The home's devices in words."""
    device = run.community.members[member]
    parts = [_("%(power)s kW solar", power=figure(f"{device.pv_w / 1000:g}"))] if device.pv_w else []
    parts += [_("%(size)s kWh battery", size=figure(f"{device.battery_wh / 1000:g}"))] if device.battery_wh else []
    parts += [
        {"Vehicle": _("electric vehicle"), "Heater": _("heater"), "Appliance": _("appliance")}[type(each).__name__]
        for each in device.devices
    ]
    return " · ".join(parts) or _("no own devices")


def _shared(reader: Reader, run: Run, member: int, rows: Sequence[Row]) -> str | None:
    """What the member shared on the day, where keys decide in place of a market."""
    if run.community.sharing_in_force is None or not rows:
        return None
    return member_words(reader, run, member, [row["slot"] for row in rows])


def _head(rows: Sequence[Row], words: Words, shared: str | None = None) -> dict[str, str]:
    """What the day brought, in one number and a sentence. shared: what the member shared, in place of its trades."""
    alone, paid = (sum(row[name] for row in rows) for name in ("alone_n", "paid_n"))
    bought, sold = (sum(row[name] for row in rows) for name in ("bought_wh", "sold_wh"))
    saved = alone - paid
    title = (
        _("You saved %(money)s", money=words.money(saved))
        if saved >= 0
        else _("You paid %(money)s more", money=words.money(-saved))
    )
    text = shared or _(
        "You bought %(bought)s kWh ahead from neighbours and sold them %(sold)s kWh.",
        bought=kwh_text(bought),
        sold=kwh_text(sold),
    )
    text = f"{text} {_bills(alone, paid, words)}"
    return {"title": title, "exact": words.exact(saved), "text": text}


def _bills(alone_n: int, paid_n: int, words: Words) -> str:
    """What the home would have paid alone, and what it paid; a negative bill was earned."""
    alone, paid = words.money(abs(alone_n)), words.money(abs(paid_n))
    if alone_n >= 0 and paid_n >= 0:
        return _(
            "Alone with your supplier you would have paid %(alone)s; here you paid %(paid)s.", alone=alone, paid=paid
        )
    if alone_n >= 0:
        return _(
            "Alone with your supplier you would have paid %(alone)s; here you earned %(paid)s.", alone=alone, paid=paid
        )
    if paid_n >= 0:
        return _(
            "Alone with your supplier you would have earned %(alone)s; here you paid %(paid)s.", alone=alone, paid=paid
        )
    return _(
        "Alone with your supplier you would have earned %(alone)s; here you earned %(paid)s.", alone=alone, paid=paid
    )


def _kpis(rows: Sequence[Row], totals: RunTotals, run: Run, member: int) -> list[tuple[str, str, str]]:
    """Energy of the day, and the battery after the newest slot."""
    device = run.community.members[member]
    figures = [
        (_("Your solar"), kwh_text(sum(row["generation_wh"] for row in rows)), "kWh"),
        (_("You used"), kwh_text(sum(row["consumption_wh"] for row in rows)), "kWh"),
        (_("From the street"), kwh_text(sum(row["import_wh"] for row in rows)), "kWh"),
    ]
    if device.battery_wh:
        figures.append((_("Battery now"), str(percent(totals.members[member].charged_wh, device.battery_wh)), "%"))
    return figures


def _day_row(row: Row, run: Run, words: Words) -> tuple[str, ...]:
    """One slot of the day, for the table behind the chart."""
    return (
        slot_mark(row["slot"], run.clock.length, words),
        words.price(row["price"], 2) if row["traded_wh"] else "–",
        kwh_text(row["bought_wh"], 3),
        kwh_text(row["sold_wh"], 3),
        kwh_text(row["import_wh"] - row["export_wh"], 3),
        words.small(row["alone_n"] - row["paid_n"]),
    )


def _statement(reader: Reader, run: Run, member: int, rows: Sequence[Row], words: Words) -> dict[str, Any] | None:
    """Lines of the newest slot of the day: metered energy times price, and their sum."""
    if not rows:
        return None
    slot, lines, total = rows[-1]["slot"], [], 0
    for row in postings_of(reader, member, slot):
        amount = row["amount_n"] * ((row["payee"] == member) - (row["payer"] == member))
        total += amount
        lines.append(
            (_(POSTED_ALONE.get(row["kind"], POSTED[row["kind"]])), *_quantity(row, words), words.small(amount))
        )
    return {
        "span": words.span(slot, run.clock.length),
        "at": time_text(slot),
        "lines": lines,
        "verdict": _("You received") if total >= 0 else _("You paid"),
        "total": words.small(abs(total)),
        "exact": words.exact(total),
    }


def _quantity(row: Row, words: Words) -> tuple[str, str]:
    """Quantity of a posting and its price, each with its unit; a dash where there is none."""
    quantity, price = row["energy_wh"], row["price"]
    if row["kind"] in IN_KG:
        return f"{count_text(quantity)} kg", f"{words.money(price * 1_000)}/t"
    return (
        f"{count_text(quantity)} Wh" if quantity else "–",
        f"{words.price(price)} {words.price_unit}" if quantity and price else "–",
    )


def _sources(rows: Sequence[Row], claimed: dict[tuple[bool, bool], tuple[int, int]]) -> dict[str, Any]:
    """Where the day's energy came from, by certificates claimed in the same slot."""
    used = sum(row["consumption_wh"] for row in rows)
    wh = {
        "solar": claimed.get((False, False), (0, 0))[0],
        "battery": claimed.get((False, True), (0, 0))[0],
        "export": sum(claimed.get((True, storage), (0, 0))[0] for storage in (False, True)),
    }
    wh["grid"] = used - sum(wh.values())
    names = {
        "solar": _("Your own solar, used at once"),
        "battery": _("Your own battery"),
        "export": _("Neighbours’ solar and batteries"),
        "grid": _("Without a certificate"),
    }
    shares = share(100, [max(part_wh, 0) for part_wh in wh.values()]) if used else [0] * len(wh)
    parts = [
        {"css": css, "name": names[css], "kwh": kwh_text(wh[css]), "percent": part}
        for css, part in zip(wh, shares, strict=True)
    ]
    edges = [0]
    for part_wh in wh.values():
        edges.append(edges[-1] + max(part_wh, 0) * 1000 // max(used, 1))
    bars = [{"css": css, "x": edges[k], "width": edges[k + 1] - edges[k]} for k, css in enumerate(wh)]
    return {"certified": 100 - shares[-1] if used else 0, "parts": parts, "bars": bars}


def _reasons(reader: Reader, member: int, newest: int, words: Words) -> dict[str, Any]:
    """What the whole run saved, line by line."""
    sums = kept_sums(reader).of(("saving", member, newest), lambda: saving(reader, member, newest))
    lines = [(known(line.reason), words.money(line.amount_n), words.exact(line.amount_n)) for line in saved_by(sums)]
    saved = sums.alone_n - sums.paid_n
    return {"lines": lines, "total": words.money(saved), "exact": words.exact(saved)}


def _commands(reader: Reader, member: str) -> list[str]:
    """What makes a statement, and what checks it."""
    folder = reader.store.path.parent
    return [
        f"transactive statement --state {word(folder)} --member {word(member)} -o {word(f'{member}.json')}",
        f"transactive verify {word(f'{member}.json')} --state {word(folder)}",
    ]
