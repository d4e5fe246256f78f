"""The register of certificates: who has which Wh, from the meter to the claim. Nothing is issued or claimed twice.

What is kept: issued ≤ metered per device and slot, and issued once; claimed ≤ consumed per meter and slot; the bundles
of a device and slot are disjoint and sum to what was issued; each step follows the table of `lifecycle`. A refused step
changes nothing. Every accepted step is logged; the log of a register gives the same register again.

A corrected reading of a device issues what it lacked, behind what there is, or withdraws what its producer still has.
What had left the producer by then stays valid to its holder, and is a shortfall of the device: issued ≤ metered +
shortfall.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from transactive.carbon.certificates.entries import DeviceAttributes, Entry
from transactive.carbon.certificates.lifecycle import END, LEADS_TO, Bundle, BundleStep, State
from transactive.core.errors import CertificateError, require
from transactive.core.slots import time_text

USES = frozenset(
    {*BundleStep} - {BundleStep.UNLOCK, BundleStep.RELEASE, BundleStep.CLAIM, BundleStep.EXPIRE, BundleStep.WITHDRAW}
)
"""Steps that an expired bundle cannot take any more; one in transit ends as the other register says."""
NOT_MADE = "the corrected reading is lower"
"""Why certificates are withdrawn by a correction."""


@dataclass(slots=True)
class Register:
    """All bundles of a community. reachable: pairs (zone of the device, zone of the meter) that may be matched.

    validity: seconds after its slot's start until an unused bundle expires. now: time of the last step [Unix s], which
    never goes back. By device and slot: produced_wh, as metered; issued, whether anything was; received, whether from
    another register; short_wh, what left its producer beyond that.
    """

    devices: dict[str, DeviceAttributes]
    zone_of_meter: dict[str, str]
    reachable: frozenset[tuple[str, str]]
    validity: int
    now: int = 0
    bundles: dict[str, Bundle] = field(init=False, default_factory=dict)
    log: list[Entry] = field(init=False, default_factory=list)
    produced_wh: dict[tuple[str, int], int] = field(init=False, default_factory=dict)
    _consumed_wh: dict[tuple[str, int], int] = field(init=False, default_factory=dict)
    _used_before_wh: dict[tuple[str, int], int] = field(init=False, default_factory=dict)
    _claimed_wh: dict[tuple[str, int], int] = field(init=False, default_factory=dict)
    issued: set[tuple[str, int]] = field(init=False, default_factory=set)
    received: set[tuple[str, int]] = field(init=False, default_factory=set)
    short_wh: dict[tuple[str, int], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for device in self.devices.values():
            if device.factor_g_per_kwh < 0:
                raise CertificateError(f"{device.id}: factor_g_per_kwh is below 0; state removals as credits instead")
            if not device.factor_source:
                raise CertificateError(f"{device.id}: factor_source is missing; say where the factor comes from")

    def advance(self, now: int) -> None:
        """Let time pass to `now` [Unix s]. Raises CertificateError for a time before the last step."""
        if now < self.now:
            raise CertificateError(
                f"{time_text(now)} is before {time_text(self.now)}, the time of the last step; time does not go back",
                "time",
            )
        self.now = now

    # -- what the meters say --------------------------------------------------------------------

    def meter(self, slot: int, produced_wh: dict[str, int], consumed_wh: dict[str, int]) -> None:
        """Record certified readings of a slot; a device or meter has one reading a slot. Raises CertificateError."""
        for known, given, names in (
            (self.produced_wh, produced_wh, self.devices),
            (self._consumed_wh, consumed_wh, self.zone_of_meter),
        ):
            for name, wh in given.items():
                if name not in names:
                    raise CertificateError(f"{name} is not registered; register it with its zone first", "device")
                if wh < 0:
                    raise CertificateError(f"{name}, {time_text(slot)}: {wh} Wh is below 0; correct it", "metered")
                if (name, slot) in known:
                    raise CertificateError(
                        f"{name}, {time_text(slot)}: already metered; periods must not overlap", "overlap"
                    )
        self.produced_wh.update({(name, slot): wh for name, wh in produced_wh.items()})
        self._consumed_wh.update({(name, slot): wh for name, wh in consumed_wh.items()})
        for step, given in (("produced", produced_wh), ("consumed", consumed_wh)):
            self.log += [Entry(step=step, device=name, slot=slot, energy_wh=wh) for name, wh in given.items()]

    def correct_use(self, meter: str, slot: int, consumed_wh: int) -> None:
        """Take a corrected reading of a meter [Wh]; what was claimed before stays claimed."""
        place = (meter, slot)
        self._used_before_wh[place] = self._most_used(place)
        self._consumed_wh[place] = consumed_wh

    def _most_used(self, place: tuple[str, int]) -> int:
        """The most that a meter was ever said to have used in a slot [Wh]."""
        return max(self._consumed_wh.get(place, 0), self._used_before_wh.get(place, 0))

    def issue(self, device: str, slot: int, energy_wh: int, owner: str, carbon_mg: int = 0) -> Bundle:
        """Issue the certificates of a device and slot, once, no more than it metered; carbon_mg: what that emitted."""
        metered = self.produced_wh.get((device, slot))
        place = f"{device}, {time_text(slot)}"
        if metered is None:
            raise CertificateError(f"{place}: no certified reading; meter it first", "metered")
        if (device, slot) in self.issued:
            raise CertificateError(f"{place}: already issued; a device and slot is issued once", "overlap")
        if not 0 < energy_wh <= metered:
            raise CertificateError(
                f"{place}: cannot issue {energy_wh} Wh of {metered} metered; issue that or less", "metered"
            )
        bundle = Bundle(device=device, slot=slot, first_wh=0, end_wh=energy_wh, owner=owner, carbon_mg=carbon_mg)
        self.issued.add((device, slot))
        self.bundles[bundle.serial] = bundle
        self.log.append(
            Entry(step="issue", device=device, slot=slot, energy_wh=energy_wh, carbon_mg=carbon_mg, to=owner)
        )
        return bundle

    # -- what holders do ------------------------------------------------------------------------

    def bundle(self, serial: str) -> Bundle:
        """Bundle of a serial. Raises CertificateError for an unknown one."""
        if serial not in self.bundles:
            raise CertificateError(
                f"{serial} is no live serial; it may have been split or merged: list the bundles", "serial"
            )
        return self.bundles[serial]

    def split(self, serial: str, energy_wh: int, carbon_mg: int | None = None) -> tuple[Bundle, Bundle]:
        """Split a bundle into its first `energy_wh` Wh and the rest; carbon as `Bundle.split` takes it.

        One that is cancelled, or has come to an end, keeps the serial that its statement names: CertificateError.
        """
        self._open(serial, "split")
        return self.divide(serial, energy_wh, carbon_mg)

    def divide(self, serial: str, energy_wh: int, carbon_mg: int | None = None) -> tuple[Bundle, Bundle]:
        """Split a bundle of any state, as registers of older versions did; a replay of their steps needs it."""
        bundle = self.bundle(serial)
        first, rest = bundle.split(energy_wh, carbon_mg)
        self._replace([bundle], [first, rest])
        self.log.append(Entry(step="split", serial=serial, energy_wh=energy_wh, carbon_mg=carbon_mg, at=self.now))
        return first, rest

    def merge(self, serial: str, next_serial: str) -> Bundle:
        """Join two bundles of which the second goes on where the first ends, alike in everything else.

        As with `split`, not where a statement names their serials.
        """
        self._open(serial, "merge")
        return self.join(serial, next_serial)

    def _open(self, serial: str, what: str) -> None:
        """Raise CertificateError where a statement may name the serial of a bundle."""
        state = self.bundle(serial).state
        if state in (State.CANCELLED, State.IN_TRANSIT) or state in END:
            raise CertificateError(
                f"{serial} is {state}: cannot {what} it, as statements name this serial; {what} one that is active",
                "state",
            )

    def join(self, serial: str, next_serial: str) -> Bundle:
        """Merge bundles of any state, as registers of older versions did."""
        first, second = self.bundle(serial), self.bundle(next_serial)
        merged = first.joined(second)
        if merged is None:
            raise CertificateError(
                f"{serial} and {next_serial} do not touch or differ; merge neighbours that are alike", "range"
            )
        self._replace([first, second], [merged])
        self.log.append(Entry(step="merge", serial=serial, to=next_serial, at=self.now))
        return merged

    def transfer(self, serial: str, to: str) -> Bundle:
        """Give an active bundle to another owner."""
        if not to:
            raise CertificateError(f"{serial}: the new owner is missing; name one", "name")
        return self._step(serial, BundleStep.TRANSFER, to=to, owner=to)

    def move(self, serial: str, step: BundleStep, to: str = "") -> Bundle:
        """Lock, unlock, reserve, release, withdraw, export, store, hand over or recall a bundle. to: the receiver."""
        if step in {BundleStep.TRANSFER, BundleStep.CANCEL, BundleStep.CLAIM, BundleStep.EXPIRE}:
            raise CertificateError(f"{step} needs more than a serial; use its own command", "state")
        return self._step(serial, step, to=to)

    def cancel(self, serial: str, beneficiary: str, reason: str = "") -> Bundle:
        """Cancel a bundle in the name of a beneficiary: it can only be claimed from then on, by that name."""
        if not beneficiary:
            raise CertificateError(f"{serial}: the beneficiary is missing; say in whose name it is cancelled", "name")
        return self._step(serial, BundleStep.CANCEL, to=beneficiary, beneficiary=beneficiary, reason=reason)

    def claim(self, serial: str, meter: str) -> Bundle:
        """Claim a cancelled bundle against what a meter consumed in the same slot, in a zone that can be reached."""
        bundle = self.bundle(serial)
        bundle.after(BundleStep.CLAIM)  # what is not cancelled is told that first
        consumed = self._consumed_wh.get((meter, bundle.slot))
        if consumed is None:
            raise CertificateError(
                f"{serial}: {meter} has no reading of {time_text(bundle.slot)}; claim in the same slot", "consumed"
            )
        zones = (self.devices[bundle.device].zone, self.zone_of_meter[meter])
        if zones not in self.reachable:
            raise CertificateError(
                f"{serial}: zone {zones[1]} of {meter} is not reachable from {zones[0]}; claim nearer", "zone"
            )
        room = max(consumed - self.claimed_wh(meter, bundle.slot), 0)
        if bundle.energy_wh > room:
            raise CertificateError(
                f"{serial}: {meter} has {room} of {consumed} Wh left to claim; split the bundle", "consumed"
            )
        claimed = self._step(serial, BundleStep.CLAIM, to=meter, meter=meter)
        self._claimed_wh[meter, bundle.slot] = consumed - room + bundle.energy_wh
        return claimed

    def expire(self, now: int) -> list[Bundle]:
        """Expire what nobody used in time; returns what expired at `now` [Unix s]."""
        usable = [b for b in self.bundles.values() if (BundleStep.EXPIRE, b.state) in LEADS_TO]
        return [self.expire_one(b.serial, now) for b in usable if self._end(b) <= now]

    def expire_one(self, serial: str, now: int) -> Bundle:
        """Expire one bundle at `now` [Unix s]."""
        bundle = self.bundle(serial)
        bundle.after(BundleStep.EXPIRE)  # refused before time passes
        ends = self._end(bundle)
        if now < ends:
            raise CertificateError(f"{serial} is valid until {time_text(ends)}; it expires then by itself", "time")
        self.advance(now)
        return self._step(serial, BundleStep.EXPIRE)

    # -- what it adds up to ---------------------------------------------------------------------

    def claimed_wh(self, meter: str, slot: int) -> int:
        """What a meter's consumption of a slot has been claimed for [Wh]."""
        return self._claimed_wh.get((meter, slot), 0)

    def energy_wh(self, *states: State) -> int:
        """Wh in the given states, or in all."""
        return sum(b.energy_wh for b in self.bundles.values() if not states or b.state in states)

    def digest(self) -> bytes:
        """SHA-256 over all bundles in the order of their serials."""
        state = hashlib.sha256()
        for serial in sorted(self.bundles):
            state.update(msgspec.json.encode(self.bundles[serial], order="deterministic") + b"\n")
        return state.digest()

    def check(self) -> None:
        """Raise RuleBroken if a rule of the register does not hold."""
        ends: dict[tuple[str, int], int] = {}
        for bundle in sorted(self.bundles.values(), key=lambda b: (b.device, b.slot, b.first_wh)):
            place = (bundle.device, bundle.slot)
            gap = bundle.first_wh - ends.get(place, 0)
            require(
                gap >= 0 and (not gap or place in self.received), "bundles of a device and slot are disjoint, whole"
            )
            ends[place] = bundle.end_wh
        require(set(ends) == self.issued | self.received, "what is issued stays")
        for place in self.issued:
            gone = sum(
                b.energy_wh for b in self.bundles.values() if (b.device, b.slot) == place and b.reason == NOT_MADE
            )
            short = self.short_wh.get(place, 0)
            require(ends[place] - gone <= self.produced_wh[place] + short, "issued ≤ metered + shortfall")
        claimed: dict[tuple[str, int], int] = {}
        for bundle in self.bundles.values():
            if bundle.state == State.CLAIMED:
                place = (bundle.meter, bundle.slot)
                claimed[place] = claimed.get(place, 0) + bundle.energy_wh
        require(all(wh <= self._most_used(place) for place, wh in claimed.items()), "claimed ≤ consumed")
        require(claimed == self._claimed_wh, "what is claimed stays")

    # -- inside ---------------------------------------------------------------------------------

    def _step(self, serial: str, step: BundleStep, *, to: str = "", **changes: str) -> Bundle:
        """Take a step with the whole of a bundle."""
        before = self.bundle(serial)
        after = before.after(step, **changes)
        if step in USES and before.state != State.IN_TRANSIT and self._end(before) <= self.now:
            end = time_text(self._end(before))
            raise CertificateError(f"{serial} was valid until {end}: cannot {step} it; only expire it", "expired")
        self.bundles[serial] = after
        self.log.append(Entry(step=str(step), serial=serial, to=to, reason=changes.get("reason", ""), at=self.now))
        return after

    def _end(self, bundle: Bundle) -> int:
        """Time [Unix s] from which a bundle cannot be used any more."""
        return bundle.slot + self.validity

    def _replace(self, old: Iterable[Bundle], new: Iterable[Bundle]) -> None:
        """Put new bundles in the place of old ones."""
        for bundle in old:
            del self.bundles[bundle.serial]
        for bundle in new:
            self.bundles[bundle.serial] = bundle
