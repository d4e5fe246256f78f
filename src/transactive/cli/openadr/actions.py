"""What the commands of OpenADR do, and what they find as facts."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from transactive.core.errors import InputError, StateError, TransactiveError
from transactive.protocols.openadr.clients import (
    COMMUNITY,
    Doorkeeper,
    Role,
    VtnClient,
    add_client,
    read_book,
    remove_client,
)
from transactive.protocols.openadr.objects import ObjectKind, VenOfLogic
from transactive.protocols.openadr.reports import readings_file, readings_of
from transactive.protocols.openadr.server import Served, VtnServer
from transactive.protocols.openadr.vtn import Vtn
from transactive.services.readings.inbox import ReadingsInbox
from transactive.services.readings.said import Said
from transactive.store import Store, holds_state
from transactive.store.protocols.openadr import ObjectBook
from transactive.store.read.runs import Reader, Run

FILE_NAME = "openadr-reports.csv"
MOST_NAME = 128
"""Characters of a VEN's name, as OpenADR says."""


def serve_vtn(folder: Path, served: Served) -> None:
    """Serve until Ctrl-C. Raises StateError without a run, InputError without TLS beyond this machine."""
    _run(folder)
    server = VtnServer(folder, served)
    print(f"OpenADR 3.1 at {server.url}, Ctrl-C ends it", file=sys.stderr, flush=True)
    server.run()


def let_in(folder: Path, role: Role, member: str, name: str) -> dict[str, Any]:
    """Let a client in; a home's VEN may see what is meant for its home. Raises InputError, StateError."""
    run = _run(folder)
    if member and role != "ven":
        raise InputError("--member: is whose home a VEN is; leave it out for business logic")
    if member and member not in run.community.ids:
        raise InputError(f"--member {member}: not in this community; its members are {', '.join(run.community.ids)}")
    if len(name) > MOST_NAME:
        raise InputError(f"--name: has {len(name)} characters; give {MOST_NAME} at most")
    made, secret = add_client(folder, role, member, name, partial(_make_ven, folder) if member else _nothing)
    return {"client_id": made.id, "client_secret": secret, "role": role, "member": member or None}


def _make_ven(folder: Path, client: VtnClient) -> None:
    """Make the VEN of a home's client. One of the same name that a kill left without its client goes.

    Raises InputError for a name that another client has.
    """
    ven = VenOfLogic(client_id=client.id, ven_name=client.name or client.id, targets=(client.member,))
    known = {each.id for each in read_book(folder).clients}
    with closing(ObjectBook(folder)) as book:
        left = [
            each.id
            for each in book.all_of(ObjectKind.VEN)
            if each.client not in known
            and book.counts(each.client).total() == 1
            and msgspec.json.decode(each.body)["venName"] == ven.ven_name
        ]
        book.remove(left, [])
        try:
            Vtn(book, Doorkeeper(folder), _nothing).create(COMMUNITY, ObjectKind.VEN, msgspec.json.encode(ven))
        except TransactiveError as error:
            raise InputError(
                f"--name {ven.ven_name}: {error}; choose another name, or revoke the client that has it and has done"
                " nothing (openadr clients)"
            ) from None


def _nothing(_: object) -> None:
    """Do nothing."""


def listed(folder: Path) -> dict[str, Any]:
    """Who may come in, by id."""
    _run(folder)
    return {
        one.id: {"role": one.role, "member": one.member or None, "name": one.name or None}
        for one in read_book(folder).clients
    }


def shut_out(folder: Path, name: str) -> None:
    """Let a client in no more, and tell it nothing more. Raises InputError."""
    _run(folder)
    gone = remove_client(folder, name)
    with closing(ObjectBook(folder)) as book:
        for one in book.all_of(ObjectKind.SUBSCRIPTION):
            if one.client == gone.id:
                book.give_up(one.id)
    print(f"{gone.id}: revoked", file=sys.stderr)


def take_readings(folder: Path, *, accept: bool) -> dict[str, Any]:
    """Bring what was reported to where readings wait, and say what is believed of it.

    Raises InputError, DataError as a run would for what cannot be accepted, and nothing is written then.
    """
    run, now = _run(folder), int(time.time())
    times = range(run.first_slot, now - run.clock.length + 1)
    with closing(ObjectBook(folder)) as book:
        reports = book.all_of(ObjectKind.REPORT)
    found, left = readings_of(reports, read_book(folder).clients, run.clock.length, times)
    facts: dict[str, Any] = {"reports": len(reports), "readings": len(found), "left_out": left}
    if not found:
        return facts
    inbox = ReadingsInbox(folder)
    look = inbox.bring({FILE_NAME: readings_file(found)}, Said())
    facts |= {"token": look.token, "refused": look.refused or None}
    if look.effect is not None:
        facts |= {"added": look.effect.added, "changed": look.effect.changed}
    if accept:
        effect = inbox.accept(look.token, Said(), now)
        facts |= {"accepted": True, "added": effect.added, "changed": effect.changed}
    return facts


def _run(folder: Path) -> Run:
    """The run of a folder. Raises StateError without one."""
    if holds_state(folder):
        with closing(Store(folder)) as store:
            run = Reader(store).run()
        if run is not None:
            return run
    raise StateError(f"{folder}: holds no run; give the --state folder of one")
