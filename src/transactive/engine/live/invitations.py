"""Invitations of meters: a code for each member's box, good once and for a short time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

import msgspec

from transactive.core.boxes.enrolment import invitation_proof
from transactive.core.errors import InputError
from transactive.store.folder import write_private

INVITATIONS_FILE = "invitations.json"
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
GROUPS, EACH = 4, 5
"""A code has twenty letters of thirty-one: 99 bits, in four groups for the eye."""


class Invitation(msgspec.Struct, frozen=True):
    """An invitation. member: index. until: when it ends [Unix s]. A code is of no use to who sees the file later.

    meter: address of the one that the operator has confirmed, empty until then; None where nobody has to.
    """

    code: str
    member: int
    until: int
    meter: str | None = None

    def is_open_to(self, meter: str) -> bool:
        """Whether a meter (address) that has the code may use it."""
        return self.meter is None or self.meter == meter

    @property
    def hash(self) -> str:
        """What the journal keeps of the code once it was used."""
        return hashlib.sha256(self.code.encode()).hexdigest()


class Invitations:
    """The invitations of a live market, in a file of its folder that only its owner reads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / INVITATIONS_FILE

    def add(self, member: int, now: int, seconds: int, *, confirm: bool = False) -> Invitation:
        """Invite a member's meter; an earlier invitation of that member ends. Raises InputError for no time at all.

        confirm: it is of no use until the operator has confirmed the meter.
        """
        if seconds <= 0:
            raise InputError(f"an invitation of {seconds} s is over before it is used; give some minutes")
        letters = [[secrets.choice(ALPHABET) for _ in range(EACH)] for _ in range(GROUPS)]
        made = Invitation("-".join("".join(group) for group in letters), member, now + seconds, "" if confirm else None)
        others = [one for one in self._all() if one.member != member]
        write_private(self._path, msgspec.json.encode([*others, made]))
        return made

    def confirm(self, member: int, meter: str, now: int) -> None:
        """Let a member's meter (address) use its invitation, and no other. Raises InputError where none is open."""
        found = self._all()
        own = next((one for one in found if one.member == member and one.until >= now), None)
        if own is None:
            raise InputError("no invitation of this member is open; invite its meter with `transactive node invite`")
        made = msgspec.structs.replace(own, meter=meter)
        write_private(self._path, msgspec.json.encode([one for one in found if one is not own] + [made]))

    def open(self, now: int) -> list[Invitation]:
        """Invitations that are not over."""
        return [one for one in self._all() if one.until >= now]

    def of(self, proof: bytes, meter: str, now: int) -> Invitation | None:
        """The invitation that a meter (address) shows to have, if it is one that is not over."""
        shown = self.shown(proof, meter)
        return shown if shown and shown.until >= now else None

    def shown(self, proof: bytes, meter: str) -> Invitation | None:
        """The same, also of one that is over: who was let in by it is still told who the market is."""
        for one in self._all():
            if hmac.compare_digest(invitation_proof(one.code, meter), proof):
                return one
        return None

    def _all(self) -> list[Invitation]:
        """The last invitation of each member."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Invitation])
        except FileNotFoundError:
            return []
