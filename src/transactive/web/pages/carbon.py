"""The carbon page: what energy emitted, where it came from, what the levy takes; of all homes or of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from transactive.core.units import PPM, WH_PER_KWH
from transactive.store.read.carbon import Matched, by_day, by_importer, by_slot, by_source, matched
from transactive.store.read.history.kept import kept_sums
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.texts.formatting import Words, count_text, kwh_text, percent
from transactive.texts.language import N_, _, figure, local_date, spoken
from transactive.texts.shell import word
from transactive.web.charts.draw import Plot, both, hours, steps, ticks
from transactive.web.pages.parts.certificate_totals import certificate_totals
from transactive.web.pages.parts.common import freshness
from transactive.web.pages.parts.credits import credits_part
from transactive.web.pages.parts.times import slot_mark
from transactive.web.viewers import Viewer

WIDE, NARROW = (720, 280), (296, 240)
OF_ONE = N_(
    "%(name)s used %(kwh)s kWh: %(location)s kg CO₂e by location, %(claims)s kg by claims, %(intensity)s g/kWh."
)
OF_ALL = N_(
    "All %(homes)s homes used %(kwh)s kWh: %(location)s kg CO₂e by location, %(claims)s kg by claims,"
    " %(intensity)s g/kWh."
)
MONTHS_FROM = 62
"""Days from which on the table sums months."""
SOURCES = (
    (N_("Own generation"), False, False),
    (N_("Own storage"), False, True),
    (N_("Neighbours’ generation"), True, False),
    (N_("Neighbours’ storage"), True, True),
)


def carbon_page(
    reader: Reader,
    run: Run,
    position: RunProgress,
    viewer: Viewer,
    *,
    member: int | None,
    chosen: int | None,
    idle: float,
) -> dict[str, Any]:
    """Everything that the page shows. member: whose figures, None for all; chosen: a time in the day that is drawn."""
    words, ids = Words(run.community.currency, run.community.zone), run.community.ids
    newest = position.delivered if position.delivered is not None else run.first_slot
    days = kept_sums(reader).of(("carbon", member, newest), lambda: by_day(reader, member, words.day_start))
    claimed = kept_sums(reader).of(("sources", member, newest), lambda: by_source(reader, member))
    scores = kept_sums(reader).of(("scores", member, newest), lambda: matched(reader, member))
    start = words.day_start(chosen if chosen is not None else newest)
    slots = by_slot(reader, start, words.next_day(start) - 1, member)
    folder = reader.store.path.parent
    name = ids[member] if member is not None else None
    return {
        "run": run,
        "words": words,
        "viewer": viewer,
        "fresh": freshness(run, position, len(ids), idle, words),
        "member": name,
        "members": ids if viewer.sees_all else [],
        "head": _head(days, name, len(ids)),
        "day": {"text": words.day(start), "start": start},
        "earlier": words.day_start(start - 1) if days and start > days[0]["day"] else None,
        "later": words.next_day(start) if days and start < days[-1]["day"] else None,
        "chart": _chart(slots, run, start, words),
        "slot_rows": [_slot_row(row, run, words) for row in slots],
        "sources": _sources(days, claimed),
        "nodes": _nodes(reader, run) if viewer.sees_all and member is None else [],
        "scores": _scores(scores),
        "spans": [_span_row(text, row, words) for text, row in _spans(days, words)],
        "by_month": len(days) > MONTHS_FROM,
        "levy": run.community.carbon.levy,
        "certificates": certificate_totals(reader, run, words, member),
        "credits": kept_sums(reader).of(
            ("credits", member, newest, spoken()), lambda: credits_part(reader, run, words, member)
        ),
        "commands": _commands(folder, name or ids[0]),
    }


def _head(days: Sequence[Row], name: str | None, homes: int) -> dict[str, str]:
    """The answer in the headline, and what it rests on."""
    whole = _sum(days)
    if not whole["consumption_wh"]:
        return {"title": _("Nothing is delivered yet"), "text": _("The first slot is under way.")}
    free = percent(whole["claimed_wh"], whole["consumption_wh"])
    values = {
        "kwh": kwh_text(whole["consumption_wh"]),
        "location": _kg(whole["location_mg"]),
        "claims": _kg(whole["market_mg"]),
        "intensity": _intensity(whole["location_mg"], whole["consumption_wh"]),
    }
    text = _(OF_ONE, name=name, **values) if name else _(OF_ALL, homes=homes, **values)
    return {"title": _("%(free)s %% certified in the same slot", free=free), "text": text}


def _chart(rows: Sequence[Row], run: Run, start: int, words: Words) -> Markup:
    """Intensity of what was used against that of the grid, through a day."""
    length = run.clock.length
    count = (words.next_day(start) - start) // length
    used: list[float | None] = [None] * count
    grid: list[float | None] = [None] * count
    for row in rows:
        place = (row["slot"] - start) // length
        grid[place] = float(row["grid_g_per_kwh"])
        if row["consumption_wh"]:
            used[place] = row["location_mg"] / row["consumption_wh"]
    top = ticks(max([value for value in (*used, *grid) if value is not None], default=100.0), 4)

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, count), (0, top[-1]), left=40)
        plot.horizontals(top)
        plot.text(0, 9, "g CO₂e/kWh")
        plot.line(steps(grid), "s-grid dash")
        plot.line(steps(used), "s-export")
        plot.labels(hours(start, words, length, small=plot.small))
        return plot

    return both(draw, _("Carbon intensity of energy used and of the grid, %(day)s", day=words.day(start)), WIDE, NARROW)


def _slot_row(row: Row, run: Run, words: Words) -> tuple[str, ...]:
    """One slot of the drawn day."""
    return (
        slot_mark(row["slot"], run.clock.length, words),
        kwh_text(row["consumption_wh"], 3),
        _intensity(row["location_mg"], row["consumption_wh"]),
        count_text(row["grid_g_per_kwh"]),
        _kg(row["location_mg"]),
        _kg(row["market_mg"]),
    )


def _sources(days: Sequence[Row], claimed: dict[tuple[bool, bool], tuple[int, int]]) -> list[dict[str, Any]]:
    """Where consumed energy came from: claims by source, and the rest without a certificate."""
    whole = _sum(days)
    rows = [(name, *claimed.get((other, storage), (0, 0))) for name, other, storage in SOURCES]
    left = whole["consumption_wh"] - sum(wh for _, wh, _ in rows), whole["market_mg"] - sum(mg for *_, mg in rows)
    rows.append((_("Without certificate"), *left))
    most = max([wh for _, wh, _ in rows], default=0) or 1
    return [
        {"name": _(name), "kwh": kwh_text(wh), "kg": _kg(mg), "g": _intensity(mg, wh), "bar": wh * 100 // most}
        for name, wh, mg in rows
    ]


def _nodes(reader: Reader, run: Run) -> list[tuple[str, ...]]:
    """Of a network's nodes with members: homes, what they imported, and its mix over the run; nothing without one."""
    if run.site is None:
        return []
    imports, names = by_importer(reader), run.site.network.names
    rows: list[tuple[str, ...]] = []
    for node in sorted(set(run.site.node.tolist())):
        here = [imports[k] for k, place in enumerate(run.site.node.tolist()) if place == node]
        wh, ug = sum(wh for wh, _ in here), sum(ug for _, ug in here)
        rows.append((names[node], f"{len(here)}", kwh_text(wh), _intensity(ug // WH_PER_KWH, wh)))
    return rows


def _scores(of: Matched) -> list[tuple[str, str, str]]:
    """The three 24/7 scores and what each of them says, and the mixes of the grid."""
    contracted = min(of.claimed_wh + of.left_wh, of.used_wh)
    rows = [
        (_("Same slot"), _share(of.claimed_wh, of.used_wh), _("certificates of the slot in which the energy was used")),
        (
            _("Whole run"),
            _share(contracted, of.used_wh),
            _("as above, and what own devices made beyond use in other slots"),
        ),
    ]
    if of.free_ppm_wh is not None:
        rows.append(
            (
                _("With the grid"),
                _share(of.claimed_wh * PPM + of.free_ppm_wh, of.used_wh * PPM),
                _("certificates of the slot, and the carbon-free part of the grid’s residual mix for the rest"),
            )
        )
    for name, (mg, wh), text in (
        (_("Grid"), of.grid, _("average mix over the run")),
        (_("Residual"), of.residual, _("what nobody claimed of the grid’s energy, over the run")),
    ):
        rows.append((name, f"{_intensity(mg, wh)} g/kWh", text))
    return rows


def _share(part: int, whole: int) -> str:
    """Per cent to two decimals, rounded down; a dash of nothing."""
    return figure(f"{part * 10_000 // whole / 100:.2f} %") if whole > 0 else "–"


def _spans(days: Sequence[Row], words: Words) -> list[tuple[str, Row]]:
    """Days, or of a long run months, each with its sums."""
    if len(days) <= MONTHS_FROM:
        return [(words.short_day(row["day"]), row) for row in days]
    months: dict[str, list[Row]] = {}
    for row in days:
        moment = datetime.fromtimestamp(row["day"], words.zone)
        months.setdefault(local_date(moment, f"{moment:%B %Y}", "yMMMM"), []).append(row)
    return [(month, _sum(rows)) for month, rows in months.items()]


def _span_row(text: str, row: Row, words: Words) -> tuple[str, ...]:
    """One day or month."""
    return (
        text,
        kwh_text(row["consumption_wh"]),
        _kg(row["location_mg"]),
        _kg(row["market_mg"]),
        f"{percent(row['claimed_wh'], row['consumption_wh'])} %",
        words.money(row["levy_n"]),
        words.money(row["returned_n"]),
        count_text(row["retired_kg"]),
        words.money(row["retired_n"]),
    )


def _sum(rows: Sequence[Row]) -> dict[str, int]:
    """Sums over days."""
    names = (
        *("consumption_wh", "location_mg", "market_mg", "unmatched_mg", "levy_n", "claimed_wh", "returned_n"),
        *("retired_kg", "retired_n"),
    )
    return {name: sum(row[name] for row in rows) for name in names}


def _commands(folder: Path, member: str) -> list[str]:
    """What makes a statement, and what checks it."""
    return [
        f"transactive certificates list --state {word(folder)} --owner {word(member)} --status all",
        f"transactive statement --state {word(folder)} --member {word(member)} -o {word(f'{member}.json')}",
        f"transactive verify {word(f'{member}.json')} --state {word(folder)}",
    ]


def _kg(mg: int) -> str:
    """Carbon [mg] in kg, to ten grams."""
    return figure(f"{mg // 10_000 / 100:,.2f}")


def _intensity(mg: int, wh: int) -> str:
    """Intensity in whole g/kWh; a dash without energy."""
    return count_text(mg // wh) if wh > 0 else "–"
