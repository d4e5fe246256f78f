"""A register made again from the log of its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from transactive.carbon.certificates.corrected import CORRECTED, correct
from transactive.carbon.certificates.entries import Entry
from transactive.carbon.certificates.handover import RECEIVED, receive_again
from transactive.carbon.certificates.lifecycle import BundleStep
from transactive.carbon.certificates.register import Register


def replay(empty: Register, log: Iterable[Entry]) -> Register:
    """Fill an empty register from a log; the same log gives the same register. Raises CertificateError."""
    repeat: dict[str, Callable[[Entry], object]] = {
        "produced": lambda e: empty.meter(e.slot, {e.device: e.energy_wh}, {}),
        "consumed": lambda e: empty.meter(e.slot, {}, {e.device: e.energy_wh}),
        "issue": lambda e: empty.issue(e.device, e.slot, e.energy_wh, e.to, e.carbon_mg or 0),
        "split": lambda e: empty.divide(e.serial, e.energy_wh, e.carbon_mg),
        "merge": lambda e: empty.join(e.serial, e.to),
        BundleStep.TRANSFER: lambda e: empty.transfer(e.serial, e.to),
        BundleStep.CANCEL: lambda e: empty.cancel(e.serial, e.to, e.reason),
        BundleStep.CLAIM: lambda e: empty.claim(e.serial, e.to),
        BundleStep.EXPIRE: lambda e: empty.expire_one(e.serial, e.at),
        CORRECTED: lambda e: correct(empty, e.device, e.slot, e.energy_wh, e.to, e.carbon_mg or 0, e.repaid_wh),
        RECEIVED: lambda e: receive_again(empty, e),
    }
    for entry in log:
        empty.advance(max(entry.at, empty.now))
        if entry.step in repeat:
            repeat[entry.step](entry)
        else:
            empty.move(entry.serial, BundleStep(entry.step), entry.to)
    return empty
