"""`transactive openadr …`: a VTN for members' devices and tools of others. Commands import what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]
openadr = App(name="openadr", help="OpenADR 3.1: tell prices and limits as a VTN, take reports as readings.")


@openadr.command
def serve(
    *,
    state: Path,
    host: str = "127.0.0.1",
    port: int = 8090,
    url: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
    callback_ca: Path | None = None,
    callbacks_inside: Flag = False,
) -> None:
    """Serve the VTN of a state until Ctrl-C, also while its run goes on.

    Its programs are the community's prices and the limits of lines; business logic adds its own. Clients come in with
    `openadr client`.

    Parameters
    ----------
    state
        Folder of the run.
    host
        Address to listen at; beyond this machine with TLS alone.
    port
        Port to listen at; the next free one if it is busy.
    url
        Where clients reach it, such as https://vtn.example.org, if a proxy stands before it.
    certificate
        File with the certificate of this server, PEM.
    key
        File with the certificate's private key, PEM.
    callback_ca
        File with the certificates to trust of callbacks, in place of the system's.
    callbacks_inside
        Tell callbacks inside this network too. Without it a client could reach machines that only this one reaches.
    """
    from transactive.cli.openadr.actions import serve_vtn
    from transactive.protocols.openadr.server import Served

    trusted = "" if callback_ca is None else str(callback_ca)
    serve_vtn(state, Served(host, port, url, certificate, key, trusted, callbacks_inside))


@openadr.command
def client(*, state: Path, role: Literal["ven", "bl"], member: str = "", name: str = "", json: Flag = False) -> None:
    """Let a client in, and print its id and secret once; only a hash of the secret is kept.

    Example: transactive openadr client --state c.state --role ven --member ada

    Parameters
    ----------
    state
        Folder of the run.
    role
        A VEN sees what concerns it and reports; business logic makes programs and events, and sees everything.
    member
        Whose home a VEN is: it sees that home's limits, and its reports are that home's readings.
    name
        What it is, in your words; also the name of the VEN.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.openadr.actions import let_in

    report(let_in(state, role, member, name), json=json)


@openadr.command
def clients(*, state: Path, json: Flag = False) -> None:
    """List who may come in.

    Parameters
    ----------
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.openadr.actions import listed

    report(listed(state), json=json)


@openadr.command
def revoke(id: str, *, state: Path) -> None:  # noqa: A002 - the word of `openadr clients`
    """Let a client in no more, from its next request on. What it made stays.

    Parameters
    ----------
    id
        As `openadr clients` shows it.
    state
        Folder of the run.
    """
    from transactive.cli.openadr.actions import shut_out

    shut_out(state, id)


@openadr.command
def fetch(
    community: Path,
    *,
    vtn: str,
    client: str,
    secret: Path | None = None,
    program: str = "",
    target: str = "",
    state: Path | None = None,
    ca: Path | None = None,
    json: Flag = False,
) -> None:
    """Take prices and limits of a utility's VTN, as a VEN of it.

    Prices and carbon intensity go into the file that `data.environment` names, for the columns that it has, as
    `feed fetch` does: into its journal first. Limits go to the boxes of a live market, each with its end; one that is
    for all is shared by what connections can take.

    Parameters
    ----------
    community
        Community file.
    vtn
        Address of the VTN, such as https://vtn.example.org/openadr3/3.1.1.
    client
        Id that the utility gave this community.
    secret
        File with the secret that it gave; otherwise TRANSACTIVE_OPENADR_SECRET.
    program
        Name of the program that counts; without it all that are shown.
    target
        Target to ask for, beside what is for everybody.
    state
        Folder of the live market; without it the one beside the community file.
    ca
        File with the certificates to trust, in place of the system's.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.openadr.fetching import Utility, fetched

    report(fetched(community, Utility(vtn, client, secret, program, target, ca), state), json=json)


@openadr.command
def readings(*, state: Path, accept: Flag = False, json: Flag = False) -> None:
    """Look at what VENs reported as readings of their homes; they count once they are accepted.

    They wait where readings wait that somebody brings, so the page of readings shows them, and its checks hold.

    Parameters
    ----------
    state
        Folder of the run.
    accept
        Accept them: they count from the next run on.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.openadr.actions import take_readings

    report(take_readings(state, accept=accept), json=json)
