"""Bundles that go from the register of a state folder to another one, and come to it from there.

What waits, what was accepted and what came back stand in the register's own log, each under its number and written with
its step; what was refused has a file. So a kill at any moment leaves one state or the next, and asking again ends it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import filelock

from transactive.carbon.certificates.handover import (
    OF,
    RECEIVED,
    Arriving,
    BundleOffer,
    BundleRecall,
    HandOverWord,
    WordSaid,
    departing,
    step_after,
    word,
)
from transactive.carbon.certificates.issued import SUPPLIER
from transactive.carbon.certificates.lifecycle import Bundle, BundleStep
from transactive.carbon.certificates.register import Register
from transactive.core.errors import CertificateError, StateError
from transactive.services.certificates import AT, CertificateService, certificate_service, slot_of
from transactive.store.folder import OWNER_FILE
from transactive.store.protocols.refusals import RefusedOffer, refuse_offer, refused_offers
from transactive.store.read.certificates import LoggedStep, asked_for

LOCK = "hand-overs.lock"
NUMBER = re.compile(r"[A-Za-z0-9_-]{8,64}")
DEVICE = re.compile(r"[^/@]+:[^/@]+")
"""Name of a device elsewhere: with these two letters its serials would be read as others."""
LONGEST_NAME = 200
SETTLED = (BundleStep.EXPORT, BundleStep.RECALL)
Cut = Callable[[Register, str], str]
"""Splits what is to go off a bundle; returns its serial."""


class InTransit(NamedTuple):
    """A bundle that waits for a word: to whom it goes, and what is sent there."""

    receiver: str
    serial: str
    offer: BundleOffer


class HandOvers:
    """Hand-overs of the register in a state folder, by any number of processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # -- who gives ------------------------------------------------------------------------------

    def give(
        self,
        serial: str,
        receiver: str,
        account: str,
        *,
        by: str | None = None,
        number: str = "",
        cut: Cut | None = None,
    ) -> str:
        """Put a bundle in transit to an account of another register; returns its number. by: whose it must be.

        Raises CertificateError for a bundle that cannot go, StateError for a register without a name.
        """
        number = number or secrets.token_hex(16)
        with self._alone() as service:
            own, _ = _named(service), _checked(number)
            if not receiver or receiver == own or AT in account or not account:
                raise CertificateError(f"{account}{AT}{receiver}: name an account of another register", "name")
            if any(step.entry.action == number for step in asked_for(service.store)):
                raise CertificateError(
                    f"{number}: was asked for before; each hand-over has a number of its own", "replay"
                )

            def go(register: Register, found: str) -> list[Bundle]:
                gone = cut(register, found) if cut else found
                return [register.move(gone, BundleStep.HAND_OVER, f"{account}{AT}{receiver}")]

            service.act([serial], go, by=by, action=number)
        return number

    def waiting(self) -> list[InTransit]:
        """What is in transit, in the order in which it was given."""
        with certificate_service(self._folder) as service:
            return [self._in_transit(service, step) for step in _unsettled(service)]

    def settle(self, number: str, said: HandOverWord) -> Bundle | None:
        """Do what a receiver's word says; None where that was done before."""
        with self._alone() as service:
            step = next((each for each in _unsettled(service) if each.entry.action == number), None)
            if step is None:
                return None
            after = step_after(said)
            return service.act([step.entry.serial], lambda r, s: [r.move(s, after)], action=number)[0]

    # -- who receives ---------------------------------------------------------------------------

    def hear(self, offer: BundleOffer) -> WordSaid:
        """Take a bundle, or refuse it for ever. Raises CertificateError for a number that named another bundle.

        Raises StateError where nothing can be said yet; then nothing was.
        """
        with self._alone() as service:
            _named(service)
            known = self._known(service, _checked(offer.number), offer.register, offer.bundle)
            if known:
                return known
            try:
                self._require_fit(service, offer)
                service.receive(offer.bundle, _action(offer.register, offer.number))
            except CertificateError as error:
                return self._refuse(RefusedOffer(offer.register, offer.number, str(error)))
        return WordSaid(word=word(None, fits=True))

    def hear_recall(self, recall: BundleRecall) -> WordSaid:
        """Refuse an offer for ever, also one that never came, unless its bundle is here."""
        with self._alone() as service:
            known = self._known(service, _checked(recall.number), recall.register, None)
            return known or self._refuse(RefusedOffer(recall.register, recall.number, "its register wanted it back"))

    def _known(self, service: CertificateService, number: str, giver: str, bundle: Arriving | None) -> WordSaid | None:
        """What was said of a number before."""
        action = _action(giver, number)
        for step in asked_for(service.store):
            if step.entry.step == RECEIVED and step.entry.action == action:
                first, energy = step.entry.first_wh, step.entry.energy_wh
                here = (step.entry.device, step.slot, first, first + energy, step.entry.carbon_mg)
                b = bundle
                if b and here != (b.device.id, b.slot, b.first_wh, b.end_wh, b.carbon_mg):
                    raise CertificateError(f"{number}: named another bundle before; give this one its own", "replay")
                return WordSaid(word=word(HandOverWord.ACCEPTED, fits=False))
        reason = refused_offers(self._folder).get((giver, number))
        return None if reason is None else WordSaid(word=word(HandOverWord.REFUSED, fits=False), reason=reason)

    def _refuse(self, refused: RefusedOffer) -> WordSaid:
        refuse_offer(self._folder, refused)
        return WordSaid(word=word(None, fits=False), reason=refused.reason)

    def _require_fit(self, service: CertificateService, offer: BundleOffer) -> None:
        """Raise CertificateError for a bundle that this register has no place for."""
        bundle, length = offer.bundle, service.community.clock.length
        name = bundle.device.id
        if len(name) > LONGEST_NAME or not name.isprintable() or not DEVICE.fullmatch(name):
            raise CertificateError(
                f"{name[:50]!r}: names a device as REGISTER{OF}DEVICE, in {LONGEST_NAME} letters without '/' and '@'",
                "device",
            )
        if offer.slot_seconds != length:
            raise CertificateError(f"its slots have {offer.slot_seconds} s, and those here {length} s", "slot")
        if bundle.device.id.startswith(service.name + OF):
            raise CertificateError(f"{bundle.device.id}: was issued here, and left; it does not come back", "overlap")
        if bundle.to not in (*service.community.ids, SUPPLIER):
            raise CertificateError(f"{bundle.to}: no account of this register", "owner")

    # -- inside ---------------------------------------------------------------------------------

    def _in_transit(self, service: CertificateService, step: LoggedStep) -> InTransit:
        serial, own = step.entry.serial, _named(service)
        register = service.register(slot_of(serial))
        bundle = register.bundle(serial)
        account, _, receiver = step.entry.to.partition(AT)
        going = departing(bundle, register.devices[bundle.device], own, account)
        length = service.community.clock.length
        return InTransit(
            receiver,
            serial,
            BundleOffer(number=step.entry.action, register=own, slot_seconds=length, bundle=going),
        )

    @contextmanager
    def _alone(self) -> Iterator[CertificateService]:
        """The register, while no other hand-over of it goes on; a killed process is out."""
        with (
            filelock.FileLock(self._folder / LOCK, mode=OWNER_FILE),
            certificate_service(self._folder) as service,
        ):
            yield service


def _unsettled(service: CertificateService) -> list[LoggedStep]:
    """Hand-overs that no word has ended."""
    steps = asked_for(service.store)
    over = {step.entry.action for step in steps if step.entry.step in SETTLED}
    return [step for step in steps if step.entry.step == BundleStep.HAND_OVER and step.entry.action not in over]


def _named(service: CertificateService) -> str:
    """The register's name. Raises StateError for the state of an older version that has none."""
    if not service.name:
        raise StateError("the register of this folder has no name, as its run is older; begin a new run")
    return service.name


def _checked(number: str) -> str:
    """A number of a hand-over. Raises CertificateError."""
    if not NUMBER.fullmatch(number):
        raise CertificateError(f"{number[:70]!r}: a number has 8 to 64 letters, digits, '-' or '_'", "replay")
    return number


def _action(register: str, number: str) -> str:
    """How the log names what another register asked for."""
    return f"{register}/{number}"
