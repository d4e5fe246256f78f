"""Receipts of certificates hold a folder to what was issued: a copy that knows less of its register issues no more.

A copy that was restored keeps the name of its register. Where the register went on elsewhere meanwhile, the copy could
give the same serial to other energy, or let certificates be used again. Its chain shows that by itself, as nobody goes
on behind it; where there is none, a redemption statement does that somebody brings.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.carbon.certificates.lifecycle import State
from transactive.core.errors import CertificateError, InputError
from transactive.core.slots import time_text
from transactive.insight.statements.redemption import Redemption
from transactive.services.certificates import AT, CertificateService, slot_of
from transactive.store.read.certificates import AHEAD, require_not_behind


def take_receipt(service: CertificateService, file: Path) -> int:
    """Compare a redemption statement with the register; returns how many of its bundles the register has as it says.

    Where the receipt is ahead, that is kept: the folder issues nothing any more, and nobody acts on its certificates.
    Raises StateError then, InputError for a file that is no redemption of this register.
    """
    receipt = _read(file)
    for bundle in receipt.bundles:
        own, _, register = bundle.serial.partition(AT)
        if register != service.name:
            raise InputError(f"{file}: {bundle.serial} is of another register, and this folder is {service.name}")
        missing = _missing(service, own, bundle.state)
        if missing:
            ahead = f"{file.name} of {receipt.beneficiary} is ahead of this copy: it has {bundle.serial} {missing}"
            service.store.set(**{AHEAD: ahead})
            require_not_behind(service.store)
    return len(receipt.bundles)


def _missing(service: CertificateService, serial: str, state: str) -> str:
    """What the register lacks of a bundle, in words; empty where it has it in this state."""
    slot = slot_of(serial)
    if not service.store.delivered(slot, slot):
        return f"{state}, and no slot {time_text(slot)} was delivered here"
    try:
        known = service.register(slot).bundle(serial).state
    except CertificateError:
        return f"{state}, and no such bundle is here"
    return "" if known == State(state) else f"{state}, and here it is {known}"


def _read(file: Path) -> Redemption:
    """A redemption statement. Raises InputError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Redemption)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file}: is no redemption statement ({error}); `certificates redemption -o FILE.json` writes one"
        ) from None
