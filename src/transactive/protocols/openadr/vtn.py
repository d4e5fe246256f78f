"""What a VTN does: objects made, changed, deleted, searched and fetched, each by who may.

Whatever is refused has changed nothing. What is sent twice is refused as being there already: names are unique as the
definitions say, and other objects by what is in them.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec

from transactive.core.errors import DataError
from transactive.protocols.openadr.clients import COMMUNITY, Doorkeeper, VtnClient
from transactive.protocols.openadr.notices import CHANGED, CREATED, DELETED, notices_of
from transactive.protocols.openadr.objects import (
    DECODERS,
    EventRequest,
    ObjectKind,
    ProgramRequest,
    ReportRequest,
    ResourceOfLogic,
    ResourceOfVen,
    SentByClient,
    SubscriptionRequest,
    VenOfLogic,
    VenOfVen,
)
from transactive.protocols.openadr.problems import Refused
from transactive.protocols.openadr.spans import spans_of
from transactive.protocols.openadr.visibility import ClientSight, fits
from transactive.store.protocols.openadr import ObjectBook, ObjectTaken, StoredObject

WRITES: dict[ObjectKind, tuple[str, ...]] = {
    ObjectKind.PROGRAM: ("bl",),
    ObjectKind.EVENT: ("bl",),
    ObjectKind.REPORT: ("ven",),
    ObjectKind.SUBSCRIPTION: ("ven", "bl"),
    ObjectKind.VEN: ("ven", "bl"),
    ObjectKind.RESOURCE: ("ven", "bl"),
}
"""Who may write what, by role."""
MOST_OF_VEN = {ObjectKind.REPORT: 10_000, ObjectKind.SUBSCRIPTION: 10, ObjectKind.VEN: 5, ObjectKind.RESOURCE: 100}
MOST_OF_LOGIC = 100_000
MOST_LISTED = 50
"""Most objects of an answer, as the document says."""


@dataclass(frozen=True, slots=True)
class ObjectSearch:
    """What a search wants: fields by name, targets that all must be there, and which part of the answer.

    objects: kinds that a subscription is about. active: events that are not over.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    targets: Sequence[str] = ()
    skip: int = 0
    limit: int = MOST_LISTED
    objects: Sequence[str] = ()
    active: bool = False


class Vtn:
    """The VTN of a state folder. check_callback: raises InputError for an address that nobody should be told at."""

    def __init__(
        self,
        book: ObjectBook,
        door: Doorkeeper,
        check_callback: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.book, self.door, self.check_callback, self.now = book, door, check_callback, now
        self._writing, self._asking = threading.RLock(), set[str]()

    def search(self, client: VtnClient, kind: ObjectKind, asked: ObjectSearch) -> bytes:
        """Objects that a client may see, as a JSON list."""
        sight, found = ClientSight.of(self.book, client), list[bytes]()
        skip = asked.skip
        now = int(self.now().timestamp())
        for one in self.book.all_of(kind, fresh=client.role == "bl"):
            if len(found) == asked.limit:
                break
            if not self._is_asked(one, asked, now):
                continue
            body = sight.listed(one, asked.targets)
            if body is not None and skip:
                skip -= 1
            elif body is not None:
                found.append(body)
        return b"[" + b",".join(found) + b"]"

    def _is_asked(self, one: StoredObject, asked: ObjectSearch, now: int) -> bool:
        """Whether an object is what a search wants."""
        fields = dict(asked.fields)
        if one.kind == ObjectKind.REPORT and "programID" in fields:
            event = self._found(ObjectKind.EVENT, one.parent)
            if event is None or event.parent != fields.pop("programID"):
                return False
        if not fits(one, fields):
            return False
        if asked.objects and one.kind == ObjectKind.SUBSCRIPTION and not about(one.body, asked.objects):
            return False
        return not (asked.active and one.kind == ObjectKind.EVENT and is_over(one.body, now))

    def fetch(self, client: VtnClient, kind: ObjectKind, name: str) -> bytes:
        """One object. Raises Refused where a client does not see it."""
        found = self._found(kind, name)
        body = ClientSight.of(self.book, client).fetched(found) if found else None
        if body is None:
            raise _missing(kind, name)
        return body

    def create(self, client: VtnClient, kind: ObjectKind, raw: bytes, name: str = "") -> bytes:
        """Make an object. name: its id, where the community itself makes it. Raises Refused."""
        sent = self._sent(client, kind, raw)
        self._check_callbacks(client, sent)
        with self._writing:
            most = MOST_OF_VEN.get(kind, 0) if client.role == "ven" else MOST_OF_LOGIC
            if self.book.counts(client.id)[kind] >= most:
                raise Refused(HTTPStatus.FORBIDDEN, f"{most} {kind.path} are kept for a client; delete older ones")
            return self._put(client, kind, sent, name or secrets.token_hex(16), None)

    def update(self, client: VtnClient, kind: ObjectKind, name: str, raw: bytes) -> bytes:
        """Put what was sent in place of an object. Raises Refused."""
        sent = self._sent(client, kind, raw)
        self._own(client, kind, name)
        self._check_callbacks(client, sent)
        with self._writing:
            return self._put(client, kind, sent, name, self._own(client, kind, name))

    def delete(self, client: VtnClient, kind: ObjectKind, name: str) -> bytes:
        """Take an object away, with what belongs to it; returns it as it was. Raises Refused."""
        self._require_role(client, kind)
        with self._writing:
            gone = self._own(client, kind, name)
            all_gone = [gone, *self._belonging(gone)]
            if client is COMMUNITY:  # its days end by themselves, and what homes reported of them may not be read yet
                all_gone = [one for one in all_gone if one.kind != ObjectKind.REPORT]
            clients = self.door.book.clients
            notices = [note for one in all_gone for note in notices_of(self.book, clients, one, DELETED)]
            ids = [one.id for one in all_gone]
            self.book.remove(ids, [note for note in notices if note.subscription not in ids])
            return gone.body

    def _sent(self, client: VtnClient, kind: ObjectKind, raw: bytes) -> SentByClient:
        """What a client sent. Raises Refused."""
        self._require_role(client, kind)
        try:
            return DECODERS[kind].decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the {kind.lower()} cannot be read: {error}") from None

    def _require_role(self, client: VtnClient, kind: ObjectKind) -> None:
        if client.role not in WRITES[kind]:
            who = "business logic" if WRITES[kind] == ("bl",) else "VENs"
            raise Refused(HTTPStatus.FORBIDDEN, f"only {who} may write {kind.path}")

    def _check_callbacks(self, client: VtnClient, sent: SentByClient) -> None:
        """Ask callbacks, of a client one request at a time: who lets them hang holds up nobody else. Raises Refused."""
        if not isinstance(sent, SubscriptionRequest):
            return
        with self._writing:
            if client.id in self._asking:
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "a callback of yours is being asked; wait for that answer")
            self._asking.add(client.id)
        try:
            for url in dict.fromkeys(one.callback_url for one in sent.object_operations):
                self.check_callback(url)
        finally:
            self._asking.discard(client.id)

    def _put(
        self, client: VtnClient, kind: ObjectKind, sent: SentByClient, name: str, before: StoredObject | None
    ) -> bytes:
        """Keep an object as it was sent, with what the VTN adds."""
        owner, parent = self._owner(client, sent, before), self._parent(client, sent)
        now = self.now()
        old: dict[str, Any] = msgspec.json.decode(before.body) if before else {}
        made = old.get("createdDateTime", now)
        said: dict[str, Any] = msgspec.to_builtins(sent)
        if isinstance(sent, VenOfVen | ResourceOfVen) and "targets" in old:
            said["targets"] = old["targets"]  # what business logic granted, a VEN neither gives nor takes
        said |= {"id": name, "createdDateTime": made, "modificationDateTime": now, "objectType": kind}
        if kind not in (ObjectKind.PROGRAM, ObjectKind.EVENT):
            said["clientID"] = owner
        body = msgspec.json.encode(said)
        identity = _identity(sent, owner)
        new = StoredObject(id=name, kind=kind, identity=identity, client=owner, parent=parent, body=body)
        notices = notices_of(self.book, self.door.book.clients, new, CHANGED if before else CREATED)
        try:
            self.book.put(new, notices)
        except ObjectTaken:
            raise Refused(HTTPStatus.CONFLICT, f"such a {kind.lower()} is there already; nothing was changed") from None
        return body

    def _owner(self, client: VtnClient, sent: SentByClient, before: StoredObject | None) -> str:
        """Id of the client whose object it is. Raises Refused where a VEN speaks as business logic, or it as a VEN."""
        if isinstance(sent, VenOfLogic | ResourceOfLogic):
            if client.role != "bl":
                raise Refused(
                    HTTPStatus.FORBIDDEN, "targets and clientID are given by business logic; send your own kind"
                )
            return sent.client_id
        if isinstance(sent, VenOfVen | ResourceOfVen) and client.role != "ven":
            raise Refused(HTTPStatus.BAD_REQUEST, "business logic names the clientID; send objectType BL_…_REQUEST")
        return before.client if before else client.id

    def _parent(self, client: VtnClient, sent: SentByClient) -> str:
        """Id of what an object belongs to. Raises Refused where that is not there for the client."""
        if isinstance(sent, EventRequest):
            return self._seen(client, ObjectKind.PROGRAM, sent.program_id)
        if isinstance(sent, ReportRequest):
            return self._seen(client, ObjectKind.EVENT, sent.event_id)
        if isinstance(sent, ResourceOfLogic | ResourceOfVen):
            return self._seen(client, ObjectKind.VEN, sent.ven_id)
        if isinstance(sent, SubscriptionRequest) and sent.program_id is not None:
            return self._seen(client, ObjectKind.PROGRAM, sent.program_id)
        return ""

    def _seen(self, client: VtnClient, kind: ObjectKind, name: str) -> str:
        """The id of an object that a client sees. Raises Refused."""
        found = self._found(kind, name)
        if found is None or ClientSight.of(self.book, client).fetched(found) is None:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{kind.lower()} {name}: there is none for you; create it first")
        return name

    def _own(self, client: VtnClient, kind: ObjectKind, name: str) -> StoredObject:
        """An object that a client may change. Raises Refused."""
        found = self._found(kind, name)
        if found is None or ClientSight.of(self.book, client).fetched(found) is None:
            raise _missing(kind, name)
        if kind in (ObjectKind.PROGRAM, ObjectKind.EVENT) and found.client == COMMUNITY.id != client.id:
            raise Refused(HTTPStatus.FORBIDDEN, f"{kind.lower()} {name}: the community itself tells this")
        if kind == ObjectKind.SUBSCRIPTION and found.client != client.id:
            raise Refused(HTTPStatus.FORBIDDEN, f"subscription {name}: is another client's")
        return found

    def _found(self, kind: ObjectKind, name: str) -> StoredObject | None:
        return next((one for one in self.book.all_of(kind) if one.id == name), None)

    def _belonging(self, gone: StoredObject) -> list[StoredObject]:
        """Objects that belong to another, however far."""
        children = [one for kind in ObjectKind for one in self.book.all_of(kind) if one.parent == gone.id]
        parents = (child for child in children if child.kind in (ObjectKind.EVENT, ObjectKind.VEN))
        return [*children, *(one for child in parents for one in self._belonging(child))]


def about(body: bytes, kinds: Sequence[str]) -> bool:
    """Whether a subscription asks for one of some kinds."""
    operations = DECODERS[ObjectKind.SUBSCRIPTION].decode(body)
    return isinstance(operations, SubscriptionRequest) and any(
        kind in kinds for one in operations.object_operations for kind in one.objects
    )


def is_over(body: bytes, now: int) -> bool:
    """Whether all intervals of an event have ended [Unix s]; one whose times cannot be told is not."""
    event = DECODERS[ObjectKind.EVENT].decode(body)
    if not isinstance(event, EventRequest) or not event.intervals or event.duration is not None:
        return False
    try:
        return all(span.end <= now for span in spans_of(event.intervals, event.interval_period))
    except DataError:
        return False


def _missing(kind: ObjectKind, name: str) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, f"{kind.lower()} {name[:128]}: there is none for you")


def _identity(sent: SentByClient, owner: str) -> str:
    """What makes an object one of its kind: its name where names are unique, else all that it says."""
    if isinstance(sent, ProgramRequest):
        return sent.program_name
    if isinstance(sent, VenOfLogic | VenOfVen):
        return sent.ven_name
    if isinstance(sent, ResourceOfLogic | ResourceOfVen):
        return f"{sent.ven_id} {sent.resource_name}"
    return hashlib.sha256(f"{owner}\0".encode() + msgspec.json.encode(sent)).hexdigest()
