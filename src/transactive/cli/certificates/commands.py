# ruff: noqa: D417 - `where` is flattened: its fields have help of their own
"""`transactive certificates …`: the register of certificates of a run, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.certificates.options import StateOptions, StepOptions
from transactive.cli.certificates.registry.commands import registry
from transactive.cli.quantities import Energy

certificates = App(name="certificates", help="Certificates of a run: list, transfer, cancel, claim, export.")
certificates.command(registry)

Output = Annotated[Path, Parameter(alias="-o")]
From = Annotated[str | None, Parameter(name="--from")]
To = Annotated[str | None, Parameter(name="--to")]


@certificates.command(name="list")
def list_(
    *,
    owner: str | None = None,
    device: str | None = None,
    status: str = "active",
    first: From = None,
    end: To = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    where: StateOptions,
) -> None:
    """List bundles, or write them in EnergyTag's shape.

    Example: transactive certificates list --state DIR --status all -o certificates.csv

    Parameters
    ----------
    owner
        Owner.
    device
        Of which device.
    status
        In which state: active, locked, reserved, cancelled, claimed, expired, withdrawn, exported, stored or all.
    first
        First slot, UTC.
    end
        End, UTC.
    output
        File to write: .json or .csv.
    """
    from transactive.cli.certificates.actions import run_list

    run_list(where, owner=owner, device=device, status=status, span=(first, end), output=output)


@certificates.command
def show(serial: str, *, where: StateOptions) -> None:
    """Show one bundle with the attributes of its device, and what was done in its slot.

    Parameters
    ----------
    serial
        Bundle, as `list` names it.
    """
    from transactive.cli.certificates.actions import run_show

    run_show(where, serial)


@certificates.command
def transfer(*serials: str, to: str, where: StepOptions) -> None:
    """Give active bundles to another owner.

    Parameters
    ----------
    serials
        Bundles; all or none.
    to
        New owner.
    """
    from transactive.cli.certificates.actions import run_step

    run_step(where, serials, lambda register, serial: [register.transfer(serial, to)])


@certificates.command
def split(serial: str, *, energy_wh: Energy, where: StepOptions) -> None:
    """Split a bundle in two.

    Parameters
    ----------
    serial
        Bundle.
    energy_wh
        Wh of the first part.
    """
    from transactive.cli.certificates.actions import run_step

    run_step(where, [serial], lambda register, found: register.split(found, energy_wh))


@certificates.command
def merge(serial: str, next_serial: str, *, where: StepOptions) -> None:
    """Join two bundles of which the second goes on where the first ends, alike in everything else.

    Parameters
    ----------
    serial
        First bundle.
    next_serial
        Second bundle.
    """
    from transactive.cli.certificates.actions import run_step

    run_step(where, [serial], lambda register, first: [register.merge(first, next_serial.partition("@")[0])])


@certificates.command
def lock(*serials: str, where: StepOptions) -> None:
    """Lock active bundles; then only unlock and withdraw are possible."""
    _move(where, serials, "lock")


@certificates.command
def unlock(*serials: str, where: StepOptions) -> None:
    """Make locked bundles active again."""
    _move(where, serials, "unlock")


@certificates.command
def reserve(*serials: str, where: StepOptions) -> None:
    """Reserve active bundles; then only release, cancel and expire are possible."""
    _move(where, serials, "reserve")


@certificates.command
def release(*serials: str, where: StepOptions) -> None:
    """Make reserved bundles active again."""
    _move(where, serials, "release")


@certificates.command
def withdraw(*serials: str, where: StepOptions) -> None:
    """Withdraw active or locked bundles; this is final."""
    _move(where, serials, "withdraw")


@certificates.command
def cancel(*serials: str, beneficiary: str, reason: str, where: StepOptions) -> None:
    """Cancel active or reserved bundles for a beneficiary; then only a claim is possible.

    Parameters
    ----------
    serials
        Bundles; all or none.
    beneficiary
        Beneficiary.
    reason
        Reason.
    """
    from transactive.cli.certificates.actions import run_step

    run_step(where, serials, lambda register, serial: [register.cancel(serial, beneficiary, reason)])


@certificates.command
def claim(*serials: str, meter: str, where: StepOptions) -> None:
    """Claim cancelled bundles for consumption of the same slot that no certificate covers yet.

    Parameters
    ----------
    serials
        Bundles; all or none.
    meter
        Member whose consumption it is.
    """
    from transactive.cli.certificates.actions import run_step

    run_step(where, serials, lambda register, serial: [register.claim(serial, meter)])


@certificates.command
def expire(*, where: StepOptions) -> None:
    """Expire bundles that were not used in time.

    Example: transactive certificates expire --state DIR --at 2019-06-12T00:00Z
    """
    from transactive.cli.certificates.actions import run_expire

    run_expire(where)


@certificates.command
def export(*serials: str, output: Output, where: StepOptions) -> None:
    """Hand active bundles to another registry: they end here, and the file has them in EnergyTag's shape.

    Parameters
    ----------
    serials
        Bundles; all or none.
    output
        File to write: .json or .csv.
    """
    from transactive.cli.certificates.actions import run_export

    run_export(where, serials, output)


@certificates.command
def redemption(
    *,
    beneficiary: str,
    reason: str | None = None,
    first: From = None,
    end: To = None,
    output: Output,
    where: StateOptions,
) -> None:
    """Write a redemption statement of what was cancelled for a beneficiary, as JSON or as a page that prints.

    Parameters
    ----------
    beneficiary
        Beneficiary.
    reason
        Only what was cancelled for this.
    first
        First slot, UTC.
    end
        End, UTC.
    output
        File to write: .json or .html.
    """
    from transactive.cli.certificates.actions import run_redemption

    run_redemption(where, beneficiary, reason, (first, end), output)


@certificates.command
def receipt(file: Path, *, where: StateOptions) -> None:
    """Hold a restored copy to a redemption statement: if the copy lacks what it says, it issues nothing any more.

    Parameters
    ----------
    file
        JSON that `certificates redemption` wrote.
    """
    from transactive.cli.certificates.actions import run_receipt

    run_receipt(where, file)


@certificates.command
def compare(one: Path, two: Path, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Name every Wh that two state folders have certified of the same device and slot; exit code 1 if there is one.

    Parameters
    ----------
    one
        State folder.
    two
        Another one, on a chain of its own: where a chain is shared, it refuses the second.
    json
        Print the ranges as one JSON list.
    """
    from transactive.cli.certificates.actions import run_compare

    run_compare(one, two, json=json)


def _move(where: StepOptions, serials: tuple[str, ...], step: str) -> None:
    """Take a plain step with bundles."""
    from transactive.cli.certificates.actions import run_move

    run_move(where, serials, step)
