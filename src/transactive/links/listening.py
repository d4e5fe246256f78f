"""Addresses to listen at: the port that was asked for, or the next free one; and TLS there."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from transactive.core.errors import InputError, StateError

TRIES = 50
"""Ports tried after the one asked for."""


def server_tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """TLS of a server, None without both files. Raises InputError for one alone, or for files that are none."""
    if certificate is None or key is None:
        if certificate is key:
            return None
        raise InputError("--certificate and --key belong together; give both files")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        tls.load_cert_chain(certificate, key)
    except OSError as error:
        raise InputError(
            f"--certificate {certificate}, --key {key}: cannot be used ({error.strerror or error}); give a certificate"
            " and its key as PEM"
        ) from None
    return tls


def listen(host: str, port: int) -> socket.socket:
    """A listening address at `port` or the next free one. Raises InputError for no port, StateError without one."""
    if not 0 <= port <= 65_535:
        raise InputError(f"--port {port}: give 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + TRIES, 65_535) + 1):
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            bound.listen()  # without it another program could bind the same address after us
        except OSError as error:
            bound.close()
            failure = error
            if isinstance(error, socket.gaierror):
                break
        else:
            return bound
    raise StateError(f"--port {port}: cannot be had at {host} ({failure.strerror}), nor can the ports after it")
