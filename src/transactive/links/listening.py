"""Addresses to listen at: the port that was asked for, or the next free one."""

from __future__ import annotations

import socket

from transactive.core.errors import InputError, StateError

TRIES = 50
"""Ports tried after the one asked for."""


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
