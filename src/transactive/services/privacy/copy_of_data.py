"""Everything that a state holds about one home, for the person: one archive, readable and as JSON."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY, time_text
from transactive.services.bills.open_items import listed
from transactive.services.bills.parties import read_parties
from transactive.services.complaints import complaints
from transactive.services.finding_notes import all_notes
from transactive.services.governing.log import acts
from transactive.services.privacy.processing import PROCESSING
from transactive.store import Store, holds_state
from transactive.store.bills import BillBooks
from transactive.store.live.consents import read_consents
from transactive.store.read import models
from transactive.store.read.forecasts import MEMBERS
from transactive.store.read.items import read_items
from transactive.store.read.members import slots_of
from transactive.store.read.pages import Pageable, page
from transactive.store.read.runs import Reader, Row, Run
from transactive.tabular.spreadsheet import csv_text

LISTED = (Pageable.ORDERS, Pageable.REFUSALS, Pageable.POSTINGS, Pageable.CERTIFICATES, Pageable.ACTS)
ALL_ROWS = 10**9
Rows = list[dict[str, Any]]


def copy_of_data(folder: Path, member: str, more: Mapping[str, Any]) -> bytes:
    """A zip of what a state folder holds about a member. more: what faces keep of it, by name.

    Energy [Wh], money [n¤], prices [µ¤/kWh], carbon [mg], times in UTC. Raises InputError for an unknown member,
    StateError for a folder without a run.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run = reader.run()
        if run is None:
            raise StateError(f"{folder}: its run has not begun; nothing is known of anybody yet")
        if member not in run.community.ids:
            raise InputError(f"{member}: not in this community; its members are {', '.join(run.community.ids[:20])}")
        known = _known(reader, run, run.community.ids.index(member)) | _on_file(folder, member) | dict(more)
    tables = {name: rows for name, rows in known.items() if isinstance(rows, list) and rows}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("read-me.txt", _read_me(member, known))
        into.writestr("everything.json", msgspec.json.format(msgspec.json.encode({"member": member, **known})))
        for name, rows in tables.items():
            into.writestr(f"{name}.csv", _csv(rows))
    return archive.getvalue()


def _known(reader: Reader, run: Run, member: int) -> dict[str, Any]:
    """What the database knows."""
    store = reader.store
    notes = all_notes(store.path.parent)
    readings = slots_of(reader, member, run.first_slot, run.last_slot)
    found: dict[str, Any] = {
        "registration": msgspec.to_builtins(run.community.members[member]),
        "readings": [_timed(row) for row in readings],
    }
    for listing in LISTED:
        rows = page(store, listing, ALL_ROWS, member=member)
        found[listing.title] = [_timed(_without_neighbours(row, member, len(run.community.members))) for row in rows]
    found["told"] = [dict(row) for row in page(store, Pageable.ADVICE, ALL_ROWS, member=member)]
    found["findings"] = [
        {**msgspec.to_builtins(item), "said": [msgspec.to_builtins(note) for note in notes[item.number].said]}
        if item.number in notes
        else msgspec.to_builtins(item)
        for item in read_items(store, member)
    ]
    found["consents"] = [
        msgspec.to_builtins(each) for each in read_consents(store.path.parent) if each.member == member
    ]
    mine = [each for each in complaints(store.path.parent) if each.opened.member == member]
    found["complaints"] = [msgspec.to_builtins(line) for each in mine for line in (each.opened, each.ended) if line]
    found["decisions"] = [msgspec.to_builtins(act) for act in acts(store.path.parent) if act.member == member]
    found["forecasts"] = list(_forecasts(reader, run, member, {row["slot"]: row for row in readings}))
    return found


def _forecasts(reader: Reader, run: Run, member: int, came: Mapping[int, Row]) -> Iterator[dict[str, Any]]:
    """What was forecast of the home, where the run kept it, read day by day. came: what its meter said, by slot."""
    cleared = reader.position().cleared
    with_pv = np.flatnonzero(run.community.devices.pv_wh).tolist()
    for start in range(run.first_slot, run.first_slot if cleared is None else cleared + 1, DAY):
        for said in models.said(reader.store, start, start + DAY - 1):
            own = with_pv if said.target == "generation" else range(len(said.figures))
            if said.target in MEMBERS and member in own:
                row = came.get(said.slot)
                yield {
                    "slot": time_text(said.slot),
                    "target": said.target,
                    "issued": time_text(said.issued),
                    "figures": said.figures[own.index(member)].tolist(),
                    "came": None if row is None else _came(said.target, row),
                }


def _came(target: str, row: Row) -> int:
    """What came of a target [Wh]."""
    if target == "orders":
        return int(row["consumption_wh"] - row["generation_wh"])
    return int(row[f"{target}_wh"])


def _on_file(folder: Path, member: str) -> dict[str, Any]:
    """Address and bank, and papers with their e-invoices."""
    party = read_parties(folder).members.get(member)
    papers: Rows = []
    mine = [each for each in listed(folder) if each.paper.member == member]
    if mine:
        with closing(BillBooks(folder)) as books:
            for each in mine:
                document = books.document(each.sequence)
                text = document.decode() if document is not None else None
                papers.append({**msgspec.to_builtins(each.paper), "e_invoice": text})
    return {"party": None if party is None else msgspec.to_builtins(party), "papers": papers}


def _without_neighbours(row: Mapping[str, Any], member: int, members: int) -> Mapping[str, Any]:
    """A row; of a certificate without the neighbour whose device made it, or who owns it."""
    if "device" not in row:
        return row
    maker, owner = row["device"] // 2, row["owner"]
    return {
        **row,
        "device": row["device"] if maker == member else None,
        "owner": owner if owner == member or owner >= members else None,
    }


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its slot as a time."""
    return {**row, "slot": time_text(row["slot"])} if isinstance(row.get("slot"), int) else dict(row)


def _csv(rows: Rows) -> str:
    """Rows as CSV; a cell that holds more than a value is JSON. Cells that a spreadsheet would run are neutral."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    return csv_text(names, cells)


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    return value if isinstance(value, int | str) else msgspec.json.encode(value).decode()


def _read_me(member: str, known: Mapping[str, Any]) -> str:
    """What is in the archive, in words."""
    lines = [
        f"What is known of {member}",
        "",
        "everything.json holds all of it; each list is a CSV file as well.",
        "Energy is Wh, money n¤ (a billionth of the currency), prices millionths of the currency a kWh, carbon mg.",
        "Times are UTC.",
        "",
    ]
    lines += [f"  {name}: {len(rows)} rows" for name, rows in known.items() if isinstance(rows, list)]
    lines += ["", "What it is kept for:", ""]
    for kind in PROCESSING:
        lines += [
            f"{kind.name}",
            f"  what for: {kind.purpose}",
            f"  where:    {kind.place}",
            f"  seen by:  {kind.seen_by}",
            f"  until:    {kind.ends}",
            "",
        ]
    return "\n".join(lines)
