"""What a transport must do to be one; for the tests of those who write them, ours included."""

from __future__ import annotations

from collections.abc import Callable

from transactive.core.errors import require
from transactive.links.direct.transport import LARGEST, Transport

TRIES, WAIT = 50, 0.2
"""How often a datagram is said again, as any may be lost, and how long each is waited for [s]."""
MOST_CONTACT = 64


def check_transport(opened: Callable[[], Transport]) -> None:
    """Open transports and raise RuleBroken for the first rule that does not hold.

    Rules: contacts are short and all different; a datagram of any bytes and size arrives as it was sent; an answer to
    who sent it arrives; who waits for nothing gets nothing; a contact that nobody is at, or that is none, harms nobody.
    """
    first, second = opened(), opened()
    try:
        contacts = {first.contact, second.contact}
        require(
            len(contacts) == 2 and all(0 < len(each) <= MOST_CONTACT for each in contacts), "contacts are different"
        )
        require(first.receive(0) is None, "nobody hears what nobody sent")
        for data in (b"\x00", bytes(range(256)), b"\xff" * LARGEST):
            source = _arrives(first, second, second.contact, data)
            _arrives(second, first, source, data[::-1])
        gone = opened()
        lost = gone.contact
        gone.close()
        for contact in (lost, b"", b"nobody", bytes(MOST_CONTACT)):
            first.send(contact, b"lost")
        _arrives(first, second, second.contact, b"still there")
    finally:
        first.close()
        second.close()
    again = opened()
    require(again.contact not in contacts, "a contact is new each time")
    again.close()


def _arrives(sender: Transport, receiver: Transport, contact: bytes, data: bytes) -> bytes:
    """Say a datagram until it arrives; gives the contact that it came from."""
    for _ in range(TRIES):
        sender.send(contact, data)
        heard = receiver.receive(WAIT)
        while heard is not None:
            if heard[1] == data:
                return heard[0]
            heard = receiver.receive(0)
    require(condition=False, rule=f"a datagram of {len(data)} bytes arrives as it was sent")
    return b""
