"""Which subscriptions hear of a change, and what they are told."""

from __future__ import annotations

import msgspec

from transactive.protocols.openadr.clients import VtnClient
from transactive.protocols.openadr.objects import ObjectKind, ObjectOperation, SubscriptionRequest
from transactive.protocols.openadr.visibility import ClientSight, facts_of
from transactive.store.protocols.openadr import ObjectBook, StoredObject, WaitingNotice

CREATED, CHANGED, DELETED = ("CREATE", "POST"), ("UPDATE", "PUT"), ("DELETE",)
"""Names of what was done, in the document's words and in those of HTTP."""
SUBSCRIPTIONS = msgspec.json.Decoder(SubscriptionRequest)


class Notification(msgspec.Struct, frozen=True, rename="camel"):
    """What is sent to a callback. operation: in the words of the subscription."""

    object_type: str
    operation: str
    object: msgspec.Raw


def notices_of(
    book: ObjectBook, clients: tuple[VtnClient, ...], changed: StoredObject, operations: tuple[str, ...]
) -> list[WaitingNotice]:
    """Notices of a change, one for each subscription that asks for such, whose client may see the object."""
    known, found = {client.id: client for client in clients}, []
    for subscription in book.all_of(ObjectKind.SUBSCRIPTION):
        client = known.get(subscription.client)
        wants = SUBSCRIPTIONS.decode(subscription.body)
        if client is None or (wants.program_id is not None and wants.program_id != _program_of(book, changed)):
            continue
        body = ClientSight.of(book, client).listed(changed, wants.targets or ())
        for one in wants.object_operations if body is not None else ():
            named = next((word for word in one.operations if word in operations), None)
            if named is not None and changed.kind in one.objects and body is not None:
                found.append(_notice(subscription.id, one, changed.kind, named, body))
    return found


def _program_of(book: ObjectBook, changed: StoredObject) -> str:
    """Id of the program that an object belongs to, empty where it belongs to none."""
    if changed.kind == ObjectKind.PROGRAM:
        return changed.id
    if changed.kind == ObjectKind.REPORT:
        events = {event.id: event for event in book.all_of(ObjectKind.EVENT)}
        return events[changed.parent].parent if changed.parent in events else ""
    return facts_of(changed.body).program


def _notice(subscription: str, to: ObjectOperation, kind: str, operation: str, body: bytes) -> WaitingNotice:
    said = msgspec.json.encode(Notification(kind, operation, msgspec.Raw(body)))
    return WaitingNotice(subscription=subscription, url=to.callback_url, bearer=to.bearer_token or "", body=said)
