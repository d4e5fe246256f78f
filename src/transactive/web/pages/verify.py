"""The verify page: a statement's file, check by check, and which of its figures were altered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transactive.insight.statements.statement import Statement
from transactive.services.statements.chain_check import ChainCheck, chain_of, check
from transactive.services.statements.checks.words import CHECKS
from transactive.services.statements.discrepancies import altered, of_a_run
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import N_, _, figure, ngettext
from transactive.texts.shell import word
from transactive.web.viewers import Viewer

MOST_BYTES = 64 * 2**20
"""Largest file that is read [bytes]: more than a year of hourly slots."""
HOLDS, CONTRADICTION, NOT_JUDGED = N_("holds"), N_("contradiction"), N_("not judged")


def verify_page(reader: Reader, run: Run, viewer: Viewer, name: str | None = None, data: bytes = b"") -> dict[str, Any]:
    """Everything that the page shows; `name` and `data` of the file to check, None before there is one."""
    folder = reader.store.path.parent
    page: dict[str, Any] = {
        "run": run,
        "viewer": viewer,
        "file": name,
        "most": MOST_BYTES // 2**20,
        "commands": _commands(folder, name or "statement.json"),
    }
    if name is None:
        return page
    found = check(data, name, chain_of(reader.store, folder))
    return page | {
        "found": found,
        "title": _title(found),
        "checks": _checks(found),
        "figures": _figures(found.statement, Words(run.community.currency, run.community.zone))
        if found.statement
        else [],
        "altered": _altered(found, reader, run, viewer),
    }


def _title(found: ChainCheck) -> str:
    """How it ended, in a few words."""
    if found.contradiction is None:
        return _("All %(checks)s checks hold", checks=len(CHECKS))
    return _("Contradiction found") if found.statement else _("This is no statement")


def _checks(found: ChainCheck) -> list[tuple[str, str, str]]:
    """Each check in words, how it ended, and what it found; none is judged after the first contradiction."""
    held = {passed.name: passed.text for passed in found.passed}
    rows, contradiction = [], found.contradiction if found.statement else None
    for name, words in CHECKS.items():
        if name in held:
            rows.append((words, HOLDS, held[name]))
        elif contradiction:
            rows.append((words, CONTRADICTION, contradiction))
            contradiction = None
        else:
            rows.append((words, NOT_JUDGED, ""))
    return rows


def _figures(of: Statement, words: Words) -> list[tuple[str, str]]:
    """What the file says, in short."""
    balance = int(of.totals.balance_n)
    days = _("%(first)s to %(last)s", first=words.short_day(of.first_slot), last=words.short_day(of.end - 1))
    slots = ngettext("%(num)s slot", "%(num)s slots", len(of.slots))
    return [
        (_("Whose"), f"{of.member.id}, {of.community.name}"),
        (_("When"), f"{days}, {slots}"),
        (_("Used"), f"{kwh_text(of.totals.consumption_wh)} kWh"),
        (_("Received") if balance >= 0 else _("Paid"), Words(of.community.currency).money(abs(balance))),
        (_("By location"), _kg(of.totals.location_mg)),
        (_("By claims"), _kg(of.totals.market_mg)),
    ]


def _kg(mg: int) -> str:
    return figure(f"{mg // 1_000 / 1_000:,.3f} kg CO₂e")


def _altered(found: ChainCheck, reader: Reader, run: Run, viewer: Viewer) -> list[tuple[str, str, str]] | None:
    """Figures that differ from the books, for those who may see them; None where there is nothing to compare."""
    of = found.statement
    if of is None or found.contradiction is None or not of_a_run(of, reader.store, run.community):
        return None
    if not viewer.sees_all and viewer.member != of.member.id:
        return None
    return [(one.place, one.stated, one.known) for one in altered(of, reader.store, run.community)]


def _commands(folder: Path, file: str) -> list[tuple[str, str]]:
    """What checks the same without this page: what for, and the command."""
    named, where = word(file), word(folder)
    return [
        (_("Independent: with a node that is not the operator’s"), f"transactive verify {named} --node URL"),
        (_("On this machine, against this run’s own chain"), f"transactive verify {named} --state {where}"),
    ]
