"""`transactive certificates registry …`. Commands import what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]
registry = App(
    name="registry", help="EnergyTag: serve the register to programs, hand bundles over to other registries."
)


@registry.command
def serve(
    *,
    state: Path,
    host: str = "127.0.0.1",
    port: int = 8091,
    url: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve the register of a state until Ctrl-C, also while its run goes on, and deliver what is in transit.

    Programs and other registries come in with tokens of `certificates registry client`.

    Parameters
    ----------
    state
        Folder of the run.
    host
        Address to listen at; beyond this machine with TLS alone.
    port
        Port to listen at; the next free one if it is busy.
    url
        Where clients reach it, such as https://registry.example.org, if a proxy stands before it.
    certificate
        File with the certificate of this server, PEM.
    key
        File with the certificate's private key, PEM.
    """
    from transactive.cli.certificates.registry.actions import serve_registry
    from transactive.protocols.energytag.server import RegistryPlace

    serve_registry(state, RegistryPlace(host, port, url, certificate, key))


@registry.command
def client(*, state: Path, account: str = "", registry: str = "", issuer: Flag = False, json: Flag = False) -> None:
    """Let a client in, and print its token once; only a hash of it is kept.

    Example: transactive certificates registry client --state c.state --account ada

    Parameters
    ----------
    state
        Folder of the run.
    account
        Member, or supplier, whose certificates it transfers, cancels and claims.
    registry
        Name of another registry, which hands bundles over.
    issuer
        It is the issuing body, which withdraws.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import let_in

    report(let_in(state, account, registry, issuer=issuer), json=json)


@registry.command
def clients(*, state: Path, json: Flag = False) -> None:
    """List who may come in, and this registry's own name.

    Parameters
    ----------
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import listed_clients

    report(listed_clients(state), json=json)


@registry.command
def revoke(id: str, *, state: Path) -> None:  # noqa: A002 - the word of `certificates registry clients`
    """Let a client in no more, from its next request on.

    Parameters
    ----------
    id
        As `certificates registry clients` shows it.
    state
        Folder of the run.
    """
    from transactive.cli.certificates.registry.actions import shut_out

    shut_out(state, id)


@registry.command
def peer(
    url: str, *, state: Path, token_file: Path, ca: Path | None = None, moved: Flag = False, json: Flag = False
) -> None:
    """Name a registry that bundles may go to; it is asked for its name.

    Parameters
    ----------
    url
        Its address.
    state
        Folder of the run.
    token_file
        File with the token that it gave this registry.
    ca
        File with the certificates to trust, in place of the system's.
    moved
        Take the address for that of a registry of the same name that was at another.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import name_peer

    report(name_peer(state, url, token_file, ca, moved=moved), json=json)


@registry.command
def hand_over(
    *serials: str,
    state: Path,
    to: str,
    account: str,
    by: Annotated[str | None, Parameter(name="--as")] = None,
    json: Flag = False,
) -> None:
    """Hand active bundles over to another registry, each by itself: in transit first, then there or active again.

    What could not be told yet stays in transit; `serve` asks again every two seconds, `deliver` once.

    Parameters
    ----------
    serials
        Bundles.
    state
        Folder of the run.
    to
        Name of a peer.
    account
        Whose they are there.
    by
        Owner who acts: refused with bundles of anybody else.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import give

    report(give(state, serials, to, account, by), json=json)


@registry.command
def deliver(*, state: Path, json: Flag = False) -> None:
    """Ask each receiver for its word on what is in transit, and do what it says.

    Parameters
    ----------
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import delivered

    report(delivered(state), json=json)


@registry.command
def recall(number: str, *, state: Path, json: Flag = False) -> None:
    """Ask for a bundle in transit back: it is active again, unless its receiver has it.

    Parameters
    ----------
    number
        As `certificates registry list` shows it.
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import called_back

    report(called_back(state, number), json=json)


@registry.command(name="list")
def list_(*, state: Path, json: Flag = False) -> None:
    """List what is in transit, by number.

    Parameters
    ----------
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.certificates.registry.actions import in_transit

    report(in_transit(state), json=json)
