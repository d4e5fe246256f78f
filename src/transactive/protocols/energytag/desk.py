"""What the registry does for its clients: with the register of the run, by the register's own steps and rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path

import filelock
import msgspec

from transactive.carbon.certificates.energytag import shaped
from transactive.carbon.certificates.issued import SUPPLIER
from transactive.carbon.certificates.lifecycle import LEADS_TO, Bundle, BundleStep
from transactive.carbon.certificates.register import Register
from transactive.core.errors import CertificateError
from transactive.core.slots import parse_time, time_text
from transactive.protocols.energytag import objects
from transactive.protocols.energytag.clients import RegistryClient
from transactive.protocols.energytag.peers import read_peers
from transactive.protocols.energytag.problems import RegistryRefusal
from transactive.services.certificates import CertificateService, certificate_service, slot_of
from transactive.services.handovers import HandOvers
from transactive.store.folder import OWNER_FILE
from transactive.store.read.certificates import asked_for

MOST_LISTED = 1_000
"""Bundles in an answer."""
LOCK = "energytag.lock"


class RegistryDesk:
    """The register of a folder, for clients; one acts at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hand_overs = HandOvers(folder)

    @property
    def name(self) -> str:
        """What names the registry."""
        with certificate_service(self.folder) as service:
            return service.name

    # -- what is shown --------------------------------------------------------------------------

    def query(self, client: RegistryClient, asked: objects.GranularCertificateQuery) -> bytes:
        """Bundles of an account."""
        _require_account(client, asked)
        first, end = (
            None if text is None else parse_time(text)
            for text in (asked.certificate_period_start, asked.certificate_period_end)
        )
        states = frozenset(s for s, word in objects.STATUS.items() if asked.certificate_status in (None, word))
        with certificate_service(self.folder) as service:
            shown = (
                shape(service, register, bundle)
                for register, bundle in service.bundles(first, end, states)
                if bundle.owner == asked.source_account_id
            )
            found = tuple(islice((one for one in shown if _fits(one, asked)), MOST_LISTED))
        return msgspec.json.encode(
            objects.GranularCertificateQueryResponse(
                source_account_id=asked.source_account_id,
                source_user_id=client.id,
                certificate_quantity=sum(one.bundle_quantity for one in found),
                filtered_certificate_bundles=found,
            )
        )

    def create(self, _: RegistryClient, asked: objects.GranularCertificateBundleBase) -> bytes:
        """What was issued for a device and period. A run issues all that is certified as it is metered, and no more.

        Raises RegistryRefusal for what the meters do not say.
        """
        slot = parse_time(asked.production_starting_interval)
        with certificate_service(self.folder) as service:
            register = service.register(slot)
            found = [b for b in register.bundles.values() if (b.device, b.slot) == (asked.device_id, slot)]
            whole = [shape(service, register, bundle) for bundle in sorted(found, key=lambda b: b.first_wh)]
        issued = sum(one.bundle_quantity for one in whole)
        wanted = {name: said for name, said in msgspec.structs.asdict(asked).items() if said is not None}
        wanted.pop("bundle_quantity")
        wrong = [name for name, said in wanted.items() if any(getattr(one, name) != said for one in whole)]
        if not whole or issued != asked.bundle_quantity or wrong:
            which = ", ".join(wrong) or "bundle_quantity"
            raise _refused(f"{issued:,} Wh were issued for this device and period, as metered; {which} differs", which)
        return msgspec.json.encode(whole)

    # -- what is done ---------------------------------------------------------------------------

    def transfer(self, client: RegistryClient, asked: objects.GranularCertificateTransfer) -> bytes:
        """Give certificates to another account."""
        with certificate_service(self.folder) as service:
            if asked.target_account_id not in (*service.community.ids, SUPPLIER):
                raise _refused(f"{asked.target_account_id}: no account of this registry", "target_account_id")
        return self._act(client, asked, BundleStep.TRANSFER, lambda r, s: r.transfer(s, asked.target_account_id))

    def cancel(self, client: RegistryClient, asked: objects.GranularCertificateCancellation) -> bytes:
        """Cancel certificates for a beneficiary, or for the account itself."""
        name = asked.beneficiary or asked.source_account_id
        return self._act(client, asked, BundleStep.CANCEL, lambda r, s: r.cancel(s, name))

    def claim(self, client: RegistryClient, asked: objects.GranularCertificateClaim) -> bytes:
        """Claim cancelled certificates for what the account consumed."""

        def step(register: Register, serial: str) -> Bundle:
            beneficiary = register.bundle(serial).beneficiary
            if beneficiary != asked.source_account_id:
                raise _refused(f"{serial}: its beneficiary is {beneficiary!r}; that one can claim it", "beneficiary")
            return register.claim(serial, asked.source_account_id)

        return self._act(client, asked, BundleStep.CLAIM, step)

    def withdraw(self, client: RegistryClient, asked: objects.GranularCertificateWithdraw) -> bytes:
        """Withdraw certificates, as their issuing body."""
        return self._act(client, asked, BundleStep.WITHDRAW, lambda r, s: r.move(s, BundleStep.WITHDRAW))

    def reserve(self, client: RegistryClient, asked: objects.GranularCertificateReservation) -> bytes:
        """Put certificates in transit to another registry; it hears of them within seconds, and its word ends it."""
        _require_account(client, asked)
        if asked.target_registry not in read_peers(self.folder):
            raise _refused(f"{asked.target_registry}: no peer of this registry", "target_registry")
        begun = _now()
        with filelock.FileLock(self.folder / LOCK, mode=OWNER_FILE):
            with certificate_service(self.folder) as service:
                serial = _serial(service, asked, BundleStep.HAND_OVER)
            self.hand_overs.give(
                serial,
                asked.target_registry,
                asked.target_account_id,
                by=asked.source_account_id,
                number=asked.action_id,
                cut=lambda register, found: _cut(register, found, asked),
            )
        transit = next(each for each in self.hand_overs.waiting() if each.offer.number == asked.action_id)
        bundle = transit.offer.bundle
        return _answer(client, asked, begun, (bundle.first_wh, bundle.end_wh), "Reserved")

    def _act(
        self,
        client: RegistryClient,
        asked: objects.ActionRequest,
        kind: BundleStep,
        step: Callable[[Register, str], Bundle],
    ) -> bytes:
        """Take a step with what was asked for. Raises RegistryRefusal, CertificateError; nothing has changed then."""
        _require_account(client, asked)
        begun, action = _now(), f"{client.id}:{asked.action_id}"
        with filelock.FileLock(self.folder / LOCK, mode=OWNER_FILE), certificate_service(self.folder) as service:
            if any(done.entry.action == action for done in asked_for(service.store)):
                raise RegistryRefusal(
                    HTTPStatus.CONFLICT, f"{asked.action_id}: was done before; give each action its own", "replay",
                    "body", "action_id",
                )  # fmt: skip
            serial = _serial(service, asked, kind)
            by = None if kind is BundleStep.CLAIM else asked.source_account_id  # a beneficiary's, whoever cancelled
            done = service.act([serial], lambda r, s: [step(r, _cut(r, s, asked))], by=by, action=action)[0]
        return _answer(client, asked, begun, (done.first_wh, done.end_wh), objects.STATUS[done.state])


def shape(service: CertificateService, register: Register, bundle: Bundle) -> objects.GranularCertificateBundle:
    """A bundle as the standard names what it is."""
    device, community = register.devices[bundle.device], service.community
    facts = shaped(bundle, device, community.name, community.clock.length, register.validity)
    facts |= {
        "certificate_status": objects.STATUS[bundle.state],
        "device_name": device.id,
        "device_type": "storage" if device.allocation else "production",
        "issuance_datestamp": time_text(bundle.slot + community.clock.length)[:10],
        "country_of_issuance": None,
        "connected_grid_identification": device.zone,
    }
    return msgspec.convert(facts, objects.GranularCertificateBundle)


def _fits(one: objects.GranularCertificateBundle, asked: objects.GranularCertificateQuery) -> bool:
    """Whether a bundle is what was asked for."""
    return (
        asked.source_certificate_issuance_id in (None, one.issuance_id)
        and asked.device_id in (None, one.device_id)
        and (asked.energy_source is None or one.energy_source in asked.energy_source)
    )


def _require_account(client: RegistryClient, asked: objects.AccountRequest) -> None:
    """Raise RegistryRefusal for somebody else's account, or in somebody else's name."""
    if client.role == "holder" and client.account != asked.source_account_id:
        raise RegistryRefusal(
            HTTPStatus.FORBIDDEN, f"this token is of the account {client.account}", "forbidden", "body",
            "source_account_id",
        )  # fmt: skip
    if asked.source_user_id != client.id:
        raise RegistryRefusal(
            HTTPStatus.FORBIDDEN, f"this token is of the user {client.id}", "forbidden", "body", "source_user_id"
        )


def _serial(service: CertificateService, asked: objects.ActionRequest, step: BundleStep) -> str:
    """The bundle that has what was asked for; without a range the account's first that the step can begin from.

    Raises CertificateError where there is none.
    """
    issuance, first = asked.source_certificate_issuance_id, asked.source_certificate_bundle_id_range_start
    for serial, bundle in service.register(slot_of(f"{issuance}/")).bundles.items():
        if serial.rpartition("/")[0] != issuance:
            continue
        whose = bundle.beneficiary if step is BundleStep.CLAIM else bundle.owner
        can = whose == asked.source_account_id and (step, bundle.state) in LEADS_TO
        if can if first is None else bundle.first_wh <= first < bundle.end_wh:
            return serial
    raise CertificateError(f"{issuance}: the account has nothing there that it could {step}; query it", "serial")


def _cut(register: Register, serial: str, asked: objects.ActionRequest) -> str:
    """Split what was asked for off a bundle; returns its serial. Raises CertificateError where it reaches beyond."""
    bundle = register.bundle(serial)
    first, last = asked.source_certificate_bundle_id_range_start, asked.source_certificate_bundle_id_range_end
    begin = bundle.first_wh if first is None else first
    end = bundle.end_wh if last is None else last + 1
    if asked.certificate_quantity is not None:
        if last is not None and end != begin + asked.certificate_quantity:
            raise _refused("differs from the range; give one of both, or the same", "certificate_quantity")
        end = begin + asked.certificate_quantity
    if not bundle.first_wh <= begin < end <= bundle.end_wh:
        raise CertificateError(
            f"{serial}: {begin} to {end - 1} is not in it; query the bundles of the account", "range"
        )
    if begin > bundle.first_wh:
        _, bundle = register.split(bundle.serial, begin - bundle.first_wh)
    if end < bundle.end_wh:
        bundle, _ = register.split(bundle.serial, end - begin)
    return bundle.serial


def _answer(
    client: RegistryClient, asked: objects.ActionRequest, begun: str, span: tuple[int, int], status: objects.Status
) -> bytes:
    """What was done, as JSON."""
    return msgspec.json.encode(
        objects.GranularCertificateActionResponse(
            source_account_id=asked.source_account_id,
            source_user_id=client.id,
            action_id=asked.action_id,
            action_request_datetime=begun,
            action_completed_datetime=_now(),
            source_certificate_issuance_id=asked.source_certificate_issuance_id,
            source_certificate_bundle_id_range_start=span[0],
            source_certificate_bundle_id_range_end=span[1] - 1,
            certificate_quantity=span[1] - span[0],
            certificate_status=status,
        )
    )


def _refused(message: str, field: str) -> RegistryRefusal:
    return RegistryRefusal(HTTPStatus.UNPROCESSABLE_ENTITY, message, "value_error", "body", field)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
