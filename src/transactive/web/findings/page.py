"""The page of a finding: what was found, since when, and the meter's own days beside what was usual before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from transactive.core.items import Item, ItemState
from transactive.services.finding_notes import MUTE_DAYS, FindingNote, FindingNotes
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import N_, _, ngettext
from transactive.web.charts.finding import EvidenceDay, evidence_chart
from transactive.web.history.part import Past
from transactive.web.history.periods import Period, day_of, short
from transactive.web.pages.parts.issues import of_item
from transactive.web.viewers import Viewer

BEFORE, AFTER, MOST = 14, 7, 62
"""Days shown before and after those concerned, and at most of those."""
REGISTERS = (
    ("import_wh", N_("From the street")),
    ("export_wh", N_("To the street")),
    ("generation_wh", N_("Own solar")),
    ("consumption_wh", N_("Used")),
)
STATES = {
    ItemState.OPEN: N_("open"),
    ItemState.ACKNOWLEDGED: N_("acknowledged"),
    ItemState.CLOSED: N_("closed"),
}


def finding_page(past: Past, item: Item) -> dict[str, Any]:
    """Everything that the page shows of a finding."""
    run, words = past.run, past.words
    notice = of_item(run, item, words)
    first, last = day_of(item.first, words), day_of(max(item.end - 1, item.first), words)
    newest = day_of(past.now - 1, words)
    shown = Period("range", first - timedelta(days=BEFORE), min(last + timedelta(days=AFTER), newest))
    days = list(shown.each_day())[-MOST - BEFORE :]
    charts = []
    for name, title in REGISTERS:
        found = [(day, _energy(past, Period("day", day, day), name, item.member)) for day in days]
        before = [energy for day, energy in found if energy is not None and day < first]
        if not any(energy for _day, energy in found):
            continue
        usual = sum(before) // len(before) if before else None
        bars = [EvidenceDay(short(Period("day", d, d)), energy, first <= d <= last) for d, energy in found]
        charts.append(
            {"title": _(title), "chart": evidence_chart(_(title), bars, usual), "usual": _usual(usual, before)}
        )
    return {
        "title": notice.title,
        "reason": notice.reason,
        "state": _(STATES[item.state]),
        "facts": _facts(item, words),
        "charts": charts,
        "member": None if item.member is None else run.names[item.member],
        "at": first.isoformat(),
    }


def _energy(past: Past, day: Period, name: str, member: int | None) -> int | None:
    """Energy of a register on a day [Wh], of a member or of all; None where nothing was delivered."""
    sums = past.sums(day)
    return sums.of(member)[name] if sums.slots else None


def _usual(usual: int | None, before: list[int]) -> str:
    if usual is None:
        return _("Nothing was recorded before these days, so there is nothing to compare with.")
    return ngettext(
        "Usual before: %(kwh)s kWh a day, the mean of %(num)s day.",
        "Usual before: %(kwh)s kWh a day, the mean of %(num)s days.",
        len(before),
        kwh=kwh_text(usual),
    )


def _facts(item: Item, words: Words) -> list[tuple[str, str]]:
    """When it was found, and how far it has come."""
    facts = [
        (
            _("Days concerned"),
            _(
                "%(first)s to %(last)s",
                first=words.short_day(item.first),
                last=words.short_day(max(item.end - 1, item.first)),
            ),
        ),
        (_("Found first"), words.moment(item.opened)),
        (_("Found last"), words.moment(item.seen)),
    ]
    now = _("Now %(state)s", state=_(STATES[item.state]))
    return facts + ([(now, words.moment(item.changed))] if item.changed else [])


def notes_part(notes: FindingNotes, viewer: Viewer, operators: list[str], now: int, words: Words) -> dict[str, Any]:
    """What was said about a finding, and what a viewer may say. operators: to whom it can be handed."""
    until = notes.muted_until(now)
    return {
        "said": [(each.by, words.moment(each.at), _in_words(each, words)) for each in notes.said],
        "handed_to": notes.handed_to,
        "muted": words.moment(until) if until else "",
        "writes": viewer.scope in ("operator", "member"),
        "operates": viewer.scope == "operator",
        "operators": [name for name in operators if name != notes.handed_to],
        "days": MUTE_DAYS,
    }


def _in_words(note: FindingNote, words: Words) -> str:
    match note.kind:
        case "note":
            return note.text
        case "hand-over":
            return _("Handed to %(to)s.", to=note.to)
        case "mute":
            return _("Left out of the list until %(moment)s.", moment=words.moment(note.until))
    return _("Back in the list.")
