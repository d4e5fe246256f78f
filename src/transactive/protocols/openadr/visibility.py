"""Who sees which object, as the definitions of OpenADR 3.1 say under Object Privacy.

Business logic sees everything. A VEN sees what it made itself, and programs and events as far as they have no targets,
or such that business logic granted it and that it asks for; others are not shown to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from transactive.protocols.openadr.clients import VtnClient
from transactive.protocols.openadr.objects import ObjectKind
from transactive.store.protocols.openadr import ObjectBook, StoredObject

SHARED = (ObjectKind.PROGRAM, ObjectKind.EVENT)
"""What business logic makes for VENs."""
FIELDS = ("resourceName", "clientName", "programID", "eventID", "venID", "venName")
"""Fields that a question may name, by the name that it gives them."""


class ObjectFacts(msgspec.Struct, frozen=True, rename={"program": "programID", "event": "eventID", "ven": "venID"}):
    """What questions are about, out of an object's body."""

    targets: tuple[str, ...] = ()
    program: str = ""
    event: str = ""
    ven: str = ""
    client_name: str = msgspec.field(default="", name="clientName")
    ven_name: str = msgspec.field(default="", name="venName")
    resource_name: str = msgspec.field(default="", name="resourceName")


_FACTS = msgspec.json.Decoder(ObjectFacts)


@lru_cache(maxsize=50_000)
def facts_of(body: bytes) -> ObjectFacts:
    """Facts of an object's body."""
    return _FACTS.decode(body)


@dataclass(frozen=True, slots=True)
class ClientSight:
    """What one client may see. granted: targets that business logic gave its VENs and their resources."""

    client: VtnClient
    granted: frozenset[str]

    @classmethod
    def of(cls, book: ObjectBook, client: VtnClient) -> ClientSight:
        """What a client may see now."""
        if client.role == "bl":
            return cls(client, frozenset())
        vens, resources = book.all_of(ObjectKind.VEN), book.all_of(ObjectKind.RESOURCE, fresh=False)
        own = (one for one in (*vens, *resources) if one.client == client.id)
        return cls(client, frozenset(target for one in own for target in facts_of(one.body).targets))

    def listed(self, found: StoredObject, asked: Sequence[str]) -> bytes | None:
        """An object as an answer to a search for targets, None where it is not shown."""
        facts = facts_of(found.body)
        if found.kind not in SHARED:
            own = self.client.role == "bl" or found.client == self.client.id
            return found.body if own and set(asked) <= set(facts.targets) else None
        if self.client.role == "bl":
            return found.body if set(asked) <= set(facts.targets) else None
        may = self.granted & set(asked)
        if not asked and not facts.targets:
            return found.body
        return _with_targets(found.body, facts.targets, may) if may and may <= set(facts.targets) else None

    def fetched(self, found: StoredObject) -> bytes | None:
        """An object that was asked for by its id, None where it is not shown."""
        targets = facts_of(found.body).targets
        if self.client.role == "bl" or (found.kind in SHARED and not targets):
            return found.body
        if found.kind not in SHARED:
            return found.body if found.client == self.client.id else None
        may = self.granted & set(targets)
        return _with_targets(found.body, targets, may) if may else None


def _with_targets(body: bytes, targets: Iterable[str], shown: frozenset[str]) -> bytes:
    """A body with no targets but those shown: a VEN does not learn of those of others."""
    whole: dict[str, object] = msgspec.json.decode(body)
    return msgspec.json.encode(whole | {"targets": [target for target in targets if target in shown]})


def fits(found: StoredObject, wanted: Mapping[str, str]) -> bool:
    """Whether an object has what a question names."""
    facts = facts_of(found.body)
    has = {
        "programID": facts.program,
        "eventID": facts.event,
        "venID": facts.ven,
        "clientName": facts.client_name,
        "venName": facts.ven_name,
        "resourceName": facts.resource_name,
    }
    return all(has[name] == value for name, value in wanted.items())
