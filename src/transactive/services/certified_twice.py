"""What two registers have both certified of the same device and slot, each Wh once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from transactive.carbon.certificates.handover import OF
from transactive.carbon.certificates.lifecycle import Bundle, State
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.services.certificates import CertificateService, certificate_service

GONE = frozenset({State.EXPORTED, State.IN_TRANSIT})


class CertifiedTwice(msgspec.Struct, frozen=True):
    """Energy [Wh] from `first_wh` on that a device made in a slot, with the serials that both registers give it."""

    device: str
    slot: str
    first_wh: int
    energy_wh: int
    one: str
    two: str


def certified_twice(one: Path, two: Path) -> list[CertifiedTwice]:
    """Every Wh that both folders have certified, by slot, device and range; what was withdrawn counts no more.

    Raises InputError for the same folder twice or for two copies of one register, whose serials are one and the same.
    """
    if one.resolve() == two.resolve():
        raise InputError(f"{one}: is given twice; name another state folder")
    with certificate_service(one) as first, certificate_service(two) as second:
        if first.name and first.name == second.name:
            raise InputError(
                f"{one} and {two} are copies of one register, {first.name}: what both have is one certificate; go on"
                " with the one that its chain is level with"
            )
        return [*_overlaps(first, second)]


def _overlaps(first: CertificateService, second: CertificateService) -> Iterator[CertifiedTwice]:
    for slot in first.slots_with(second):
        theirs = _live(second, slot)
        for mine in _live(first, slot):
            for other in theirs:
                begins, ends = max(mine.first_wh, other.first_wh), min(mine.end_wh, other.end_wh)
                if begins < ends and _is_same(first.name, mine, second.name, other):
                    serials = first.full(mine.serial), second.full(other.serial)
                    yield CertifiedTwice(mine.device, time_text(slot), begins, ends - begins, *serials)


def _is_same(first: str, mine: Bundle, second: str, other: Bundle) -> bool:
    """Whether two bundles are of one device: by its name, or one register has what the other one issued.

    The latter is twice there unless it has gone, or waits for a word, where it was issued.
    """
    if mine.device == other.device:
        return True
    there, back = mine.state not in GONE, other.state not in GONE
    return (there and f"{first}{OF}{mine.device}" == other.device) or (
        back and f"{second}{OF}{other.device}" == mine.device
    )


def _live(service: CertificateService, slot: int) -> list[Bundle]:
    """Bundles of a slot that were not withdrawn, by device and range."""
    found = (b for b in service.register(slot).bundles.values() if b.state != State.WITHDRAWN)
    return sorted(found, key=lambda b: (b.device, b.first_wh))
