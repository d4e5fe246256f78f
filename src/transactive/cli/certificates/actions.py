"""What the commands of `transactive certificates` do: a step in a state folder, a file of its register."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.carbon.certificates import lifecycle
from transactive.carbon.certificates.energytag import COLUMNS, STANDARD, shaped
from transactive.carbon.certificates.handover import AS_FILE, leave
from transactive.carbon.certificates.lifecycle import Bundle, State
from transactive.cli.report import report
from transactive.core.errors import CertificateError, InputError
from transactive.core.slots import parse_time
from transactive.core.units import kwh_text
from transactive.insight.statements.redemption import encode
from transactive.services.certificate_receipts import take_receipt
from transactive.services.certificates import Act, CertificateService, certificate_service, slot_of
from transactive.services.certified_twice import certified_twice
from transactive.services.redemptions import redemption
from transactive.tabular.spreadsheet import csv_text

if TYPE_CHECKING:
    from transactive.carbon.certificates.register import Register
    from transactive.cli.certificates.options import StateOptions, StepOptions

Span = tuple[str | None, str | None]
ALL = "all"


def run_list(
    where: StateOptions, *, owner: str | None, device: str | None, status: str, span: Span, output: Path | None
) -> None:
    """List bundles on stdout, or write them in EnergyTag's shape."""
    if status not in (ALL, *State):
        raise InputError(f"--status {status}: choose one of {', '.join((*State, ALL))}")
    states = frozenset() if status == ALL else frozenset({State(status)})
    with certificate_service(where.state) as service:
        found = [
            (register, bundle)
            for register, bundle in service.bundles(*_times(span), states)
            if owner in (None, bundle.owner) and device in (None, bundle.device)
        ]
        if output is not None:
            _write_shaped(service, found, output)
            return
        named = [(service.full(bundle.serial), bundle) for _, bundle in found]
        short = service.shortfalls()
    if where.json:
        print(msgspec.json.encode([_facts(serial, bundle) for serial, bundle in named]).decode())
        return
    for serial, bundle in named:
        print(f"{serial:<56} {bundle.energy_wh:>8,} Wh  {bundle.state:<9} {bundle.owner}")
    print(f"{len(found):,} bundles, {kwh_text(sum(bundle.energy_wh for _, bundle in found), 3)} kWh")
    for name, wh in short.items():
        print(f"{name}: {wh:,} Wh that it never made had left, say corrected readings; its next production pays")


def run_show(where: StateOptions, serial: str) -> None:
    """Show one bundle, its device, and the steps in its slot that name its device."""
    with certificate_service(where.state) as service:
        own = service.local(serial)
        register = service.register(slot_of(own))
        bundle = register.bundle(own)
        facts = _shaped(service, register, bundle) | {"state": str(bundle.state), "meter": bundle.meter or None}
    steps = [entry for entry in register.log if bundle.device in (entry.device, entry.serial.split("/")[0])]
    report(facts | {"steps in its slot": len(steps), "last step": steps[-1].step}, json=where.json)


def run_step(where: StepOptions, serials: Sequence[str], step: Act) -> None:
    """Take a step with some bundles, all or none, and say what they are then."""
    if not serials:
        raise InputError("name the serials of the bundles; `certificates list` shows them")
    with certificate_service(where.state) as service:
        left = service.act(serials, step, None if where.at is None else parse_time(where.at), where.by)
        named = [(service.full(bundle.serial), bundle) for bundle in left]
    _say(named, json=where.json)


def run_move(where: StepOptions, serials: Sequence[str], name: str) -> None:
    """Lock, unlock, reserve, release or withdraw bundles."""
    run_step(where, serials, lambda register, serial: [register.move(serial, lifecycle.BundleStep(name))])


def run_expire(where: StepOptions) -> None:
    """Expire bundles that were not used in time."""
    with certificate_service(where.state) as service:
        left = service.expire(None if where.at is None else parse_time(where.at), where.by)
        named = [(service.full(bundle.serial), bundle) for bundle in left]
    _say(named, json=where.json)


def run_export(where: StepOptions, serials: Sequence[str], output: Path) -> None:
    """End bundles here and write them for another registry; without the file nothing ends."""
    _check_suffix(output, ".json", ".csv")
    with certificate_service(where.state) as service:
        registers = {serial: service.register(slot_of(serial)) for serial in map(service.local, serials)}
        found = [(register, register.bundle(serial)) for serial, register in registers.items()]
        partial = output.with_name(f".{output.name}.part")
        _put(partial, _shaped_file(service, found, output))
        try:
            run_step(where, serials, lambda register, serial: [leave(register, serial, AS_FILE)])
        except CertificateError:
            partial.unlink()
            raise
        partial.replace(output)


def run_redemption(where: StateOptions, beneficiary: str, reason: str | None, span: Span, output: Path) -> None:
    """Write a redemption statement as JSON, or as a page."""
    _check_suffix(output, ".json", ".html")
    with certificate_service(where.state) as service:
        made = redemption(service, beneficiary, reason, *_times(span))
    if output.suffix == ".html":
        from transactive.web.papers.redemption_file import redemption_html

        _replace(output, redemption_html(made).encode())
    else:
        _replace(output, encode(made))
    facts = {"beneficiary": made.beneficiary, "energy_wh": made.energy_wh, "claimed_wh": made.claimed_wh}
    report(facts | {"bundles": len(made.bundles), "file": str(output)}, json=where.json)


def run_receipt(where: StateOptions, file: Path) -> None:
    """Say that the register has all that a receipt says."""
    with certificate_service(where.state) as service:
        report({"file": str(file), "bundles as they are here": take_receipt(service, file)}, json=where.json)


def run_compare(one: Path, two: Path, *, json: bool) -> None:
    """Name what two state folders have both certified; says by its exit code whether there is any."""
    found = certified_twice(one, two)
    facts = [msgspec.structs.asdict(each) for each in found]
    if json:
        print(msgspec.json.encode(facts).decode())
    for each in [] if json else found:
        print(
            f"{each.device}, {each.slot}: {each.energy_wh:,} Wh from {each.first_wh}, as {each.one} and as {each.two}"
        )
    total = kwh_text(sum(each.energy_wh for each in found), 3)
    print(f"{len(found):,} ranges, {total} kWh certified in both", file=sys.stderr)
    if found:
        raise SystemExit(1)


def _say(left: Sequence[tuple[str, Bundle]], *, json: bool) -> None:
    """Say what bundles are after a step, each with its serial."""
    if json:
        print(msgspec.json.encode([_facts(serial, bundle) for serial, bundle in left]).decode())
        return
    for serial, bundle in left:
        print(f"{serial}: {bundle.energy_wh:,} Wh, {bundle.state}, {bundle.owner}")
    if not left:
        print("Nothing to do.")


def _facts(serial: str, bundle: Bundle) -> dict[str, Any]:
    """A bundle with its serial."""
    facts: dict[str, Any] = msgspec.structs.asdict(bundle)
    return {"serial": serial, "energy_wh": bundle.energy_wh, **facts}


def _times(span: Span) -> tuple[int | None, int | None]:
    first, end = (None if text is None else parse_time(text) for text in span)
    return first, end


def _shaped(service: CertificateService, register: Register, bundle: Bundle) -> dict[str, Any]:
    """A bundle in EnergyTag's shape."""
    community = service.community
    return shaped(bundle, register.devices[bundle.device], community.name, community.clock.length, register.validity)


def _write_shaped(service: CertificateService, found: Sequence[tuple[Register, Bundle]], output: Path) -> None:
    """Write bundles in EnergyTag's shape."""
    _check_suffix(output, ".json", ".csv")
    _replace(output, _shaped_file(service, found, output))


def _shaped_file(service: CertificateService, found: Sequence[tuple[Register, Bundle]], output: Path) -> bytes:
    """Bundles in EnergyTag's shape as JSON or CSV."""
    rows = [_shaped(service, register, bundle) for register, bundle in found]
    if output.suffix == ".csv":
        return csv_text(COLUMNS, ([row[column] for column in COLUMNS] for row in rows)).encode()
    facts = {"standard": STANDARD, "issuing_body": service.community.name, "bundles": rows}
    return msgspec.json.format(msgspec.json.encode(facts)) + b"\n"


def _check_suffix(output: Path, *suffixes: str) -> None:
    if output.suffix not in suffixes:
        raise InputError(f"--output {output}: ends neither in {' nor in '.join(suffixes)}; say by it what to write")


def _replace(output: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    partial = output.with_name(f".{output.name}.part")
    _put(partial, data)
    partial.replace(output)


def _put(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
