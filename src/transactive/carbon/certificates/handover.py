"""A bundle that goes to another register, so that it exists once, whoever dies on the way.

Who gives takes two steps: the bundle is in transit, with its receiver named, then it has ended here or is active again.
Who receives says one of two words for each number, and the same word ever after:

    known      asked      fits    said
    nothing    offered    yes     accepted, and the bundle is here from then on
    nothing    offered    no      refused
    nothing    recalled           refused
    a word     whatever           that word

So a message that is late, or comes again, changes nothing: an offer that was recalled is refused for ever. Who gives
asks until it hears a word, and does nothing before.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.carbon.certificates.entries import DeviceAttributes, Entry
from transactive.carbon.certificates.lifecycle import Bundle, BundleStep, State, Wh
from transactive.carbon.certificates.register import Register
from transactive.core.errors import CertificateError
from transactive.core.slots import time_text

RECEIVED = "received"
"""Step of a bundle from elsewhere in the log of a register."""
AS_FILE = "file"
"""Where an exported bundle went that a file has for another register."""
OF = ":"
"""Stands in the name of a device behind the register that issued for it."""


class HandOverWord(StrEnum):
    """What a receiver says, once and for all."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Arriving(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bundle that another register hands over. to: account here; device: with the register that issued for it.

    slot: Unix s, up to year 9999.
    """

    device: DeviceAttributes
    slot: Annotated[int, Meta(ge=0, lt=253_402_300_800)]
    first_wh: Wh
    end_wh: Wh
    carbon_mg: Wh
    to: str


class BundleOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a register sends until it hears a word. number: its own, unique with its name; slot_seconds: its slots."""

    number: str
    register: str
    slot_seconds: int
    bundle: Arriving


class BundleRecall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An offer that a register wants back."""

    number: str
    register: str


class WordSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The word, and why it is that one."""

    word: HandOverWord
    reason: str = ""


def word(known: HandOverWord | None, *, fits: bool) -> HandOverWord:
    """What is said of a number. fits: it was offered, and can be taken; a recall never does."""
    return known or (HandOverWord.ACCEPTED if fits else HandOverWord.REFUSED)


def step_after(said: HandOverWord) -> BundleStep:
    """What who gave does with its bundle in transit."""
    return BundleStep.EXPORT if said is HandOverWord.ACCEPTED else BundleStep.RECALL


def departing(bundle: Bundle, device: DeviceAttributes, register: str, to: str) -> Arriving:
    """A bundle of the register with this name, as it leaves for an account elsewhere."""
    name = device.id if OF in device.id else f"{register}{OF}{device.id}"
    return Arriving(
        device=msgspec.structs.replace(device, id=name),
        slot=bundle.slot,
        first_wh=bundle.first_wh,
        end_wh=bundle.end_wh,
        carbon_mg=bundle.carbon_mg,
        to=to,
    )


def leave(register: Register, serial: str, to: str = "") -> Bundle:
    """End a bundle that leaves otherwise: to a chain, or AS_FILE.

    Raises CertificateError for one in transit, as another register may have it by now.
    """
    if register.bundle(serial).state is State.IN_TRANSIT:
        raise CertificateError(f"{serial} is in transit: only its receiver's word ends it; recall it first", "state")
    return register.move(serial, BundleStep.EXPORT, to)


def is_elsewhere(register: Register, serial: str) -> bool:
    """Whether a bundle has ended here for another register, which took it or has it in a file."""
    steps = [(entry.step, entry.to) for entry in register.log if entry.serial == serial]
    was_handed_over = [step for step, _ in steps[-2:]] == [BundleStep.HAND_OVER, BundleStep.EXPORT]
    return was_handed_over or steps[-1:] == [(BundleStep.EXPORT, AS_FILE)]


def receive(register: Register, arriving: Arriving) -> Bundle:
    """Take a bundle from elsewhere into the register of its slot, whose it is from then on.

    Raises CertificateError for one that was here before in whole or in part, as a bundle comes to a register once; for
    one that is over or without an owner, and for a device that is ours or was told otherwise before.
    """
    device, slot = arriving.device, arriving.slot
    bundle = Bundle(
        device=device.id, slot=slot, first_wh=arriving.first_wh, end_wh=arriving.end_wh, owner=arriving.to,
        carbon_mg=arriving.carbon_mg,
    )  # fmt: skip
    if OF not in device.id or register.devices.get(device.id, device) != device:
        raise CertificateError(f"{device.id} is not the device that this register knows by that name", "device")
    if device.factor_g_per_kwh < 0 or not device.factor_source:
        raise CertificateError(
            f"{device.id}: factor_g_per_kwh is below 0, or nobody says where it comes from", "device"
        )
    if not arriving.to or bundle.energy_wh <= 0:
        raise CertificateError(f"{bundle.serial}: is without an owner or without energy; offer it anew", "range")
    if slot + register.validity <= register.now:
        raise CertificateError(f"{bundle.serial} was valid until {time_text(slot + register.validity)}", "expired")
    for known in register.bundles.values():
        same = (known.device, known.slot) == (bundle.device, slot)
        if same and known.first_wh < bundle.end_wh and bundle.first_wh < known.end_wh:
            raise CertificateError(f"{bundle.serial}: {known.serial} was here before, and is {known.state}", "overlap")
    register.devices[device.id] = device
    register.received.add((device.id, slot))
    register.bundles[bundle.serial] = bundle
    register.log.append(
        Entry(
            step=RECEIVED, device=device.id, slot=slot, first_wh=bundle.first_wh, energy_wh=bundle.energy_wh,
            carbon_mg=bundle.carbon_mg, to=bundle.owner, at=register.now, origin=device,
        )
    )  # fmt: skip
    return bundle


def receive_again(register: Register, entry: Entry) -> Bundle:
    """Repeat the step from its entry. Raises CertificateError for an entry without a device."""
    if entry.origin is None:
        raise CertificateError(f"{entry.device}: the log does not say what was received; restore a backup", "device")
    return receive(
        register,
        Arriving(
            device=entry.origin,
            slot=entry.slot,
            first_wh=entry.first_wh,
            end_wh=entry.first_wh + entry.energy_wh,
            carbon_mg=entry.carbon_mg or 0,
            to=entry.to,
        ),
    )
