"""Carries what is in transit to its receivers and does what they say, as often as it takes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from transactive.carbon.certificates.handover import BundleRecall, HandOverWord, WordSaid
from transactive.core.errors import CertificateError, TransactiveError
from transactive.links.registry import RegistryLink
from transactive.protocols.energytag.peers import read_peers
from transactive.services.handovers import HandOvers, InTransit

SLOW_SECONDS = 3.0
"""A receiver that has said nothing for so long is asked nothing more in a round."""
LOG = logging.getLogger("transactive.energytag")


class Delivered(NamedTuple):
    """What became of a bundle in transit: its word, or None where there was none yet, and why."""

    number: str
    serial: str
    word: HandOverWord | None
    reason: str


def deliver(folder: Path, is_over: Callable[[], bool] = lambda: False) -> list[Delivered]:
    """Offer everything in transit to its receiver, and do what that says, until it is over.

    A receiver that lets us wait is asked once, so that it keeps no bundle of another one waiting.
    """
    book, slow, found = HandOvers(folder), set[str](), list[Delivered]()
    for each in book.waiting():
        if is_over():
            break
        if each.receiver in slow:
            found.append(Delivered(each.offer.number, each.serial, None, f"{each.receiver} is slow; asked later"))
            continue
        begun = time.monotonic()
        found.append(_ask(folder, book, each, lambda link, one: link.offer(one.offer)))
        if found[-1].word is None and time.monotonic() - begun >= SLOW_SECONDS:
            slow.add(each.receiver)
    return found


def recall(folder: Path, number: str) -> Delivered:
    """Ask for a bundle back: it is active again, unless its receiver has it. Raises CertificateError for no number."""
    book = HandOvers(folder)
    found = next((each for each in book.waiting() if each.offer.number == number), None)
    if found is None:
        raise CertificateError(f"{number}: nothing in transit has this number; `certificates registry list` shows them")
    wanted = BundleRecall(number=number, register=found.offer.register)
    return _ask(folder, book, found, lambda link, _: link.recall(wanted))


def _ask(
    folder: Path, book: HandOvers, transit: InTransit, ask: Callable[[RegistryLink, InTransit], WordSaid]
) -> Delivered:
    """Ask a receiver and do what it says; without a word nothing."""
    number = transit.offer.number
    peer = read_peers(folder).get(transit.receiver)
    if peer is None:
        reason = f"{transit.receiver} is no peer of this registry; name it with `certificates registry peer`"
        return Delivered(number, transit.serial, None, reason)
    try:
        said = ask(peer.link(), transit)
        book.settle(number, said.word)
    except TransactiveError as error:
        LOG.warning("%s: %s", number, error)
        return Delivered(number, transit.serial, None, str(error))
    return Delivered(number, transit.serial, said.word, said.reason)
