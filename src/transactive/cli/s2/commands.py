"""`transactive s2 …`: devices of a home that speak S2. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

s2 = App(name="s2", help="S2 (EN 50491-12-2): plan batteries, heat pumps and other devices that describe themselves.")


@s2.command
def serve(
    community: Path,
    *,
    member: str,
    host: str = "127.0.0.1",
    port: int = 8092,
    hours: int = 24,
    token_file: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Be the energy manager of a home until Ctrl-C: devices connect over a WebSocket and are planned by its prices.

    A device with a storage (FRBC) is planned by the programme of batteries, one with modes (OMBC) by its modes.

    Example: transactive s2 serve c/community.toml --member ada

    Parameters
    ----------
    community
        Community file.
    member
        Whose home it is.
    host
        Address to listen at; beyond this machine with a token and TLS alone.
    port
        Port to listen at.
    hours
        How far ahead a plan looks.
    token_file
        File with the token that devices show.
    certificate
        File with the certificate of this server, PEM.
    key
        File with the certificate's private key, PEM.
    """
    from transactive.cli.s2.actions import manage, token_in
    from transactive.protocols.s2.server import DeviceDoor

    token = "" if token_file is None else token_in(token_file)
    manage(community, member, hours, DeviceDoor(host, port, token, certificate, key))
