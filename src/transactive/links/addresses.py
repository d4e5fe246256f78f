"""Addresses of brokers and meters, as people type them."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from transactive.core.errors import InputError

CHARGER_PORT = 9_000


class DevicePlace(NamedTuple):
    """Where a device is. rest: what comes after the port, without the slash."""

    host: str
    port: int
    rest: str


def device_place(url: str, scheme: str, port: int) -> DevicePlace:
    """Place of a device's address, SCHEME://HOST[:PORT][/REST]. Raises InputError for another one."""
    parts = _split(url)
    if parts is None or parts.scheme != scheme or not parts.hostname:
        raise InputError(f"{_shown(url)}: write the address of the device like {scheme}://192.168.1.20:{port}")
    return DevicePlace(parts.hostname, port if parts.port is None else parts.port, parts.path.strip("/"))


def charger_place(url: str) -> DevicePlace:
    """Where a charger connects, ocpp://HOST[:PORT]/NAME. Raises InputError for another address."""
    return device_place(url, "ocpp", CHARGER_PORT)


def scheme_of(url: str) -> str:
    """The scheme of an address, empty where it has none."""
    return url.partition("://")[0].lower() if "://" in url else ""


def broker_parts(url: str) -> SplitResult:
    """Parts of a broker's address, mqtt(s)://[USER:PASSWORD@]HOST[:PORT]. Raises InputError for another one."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise InputError(f"{_shown(url)}: write the address of a broker like mqtt://127.0.0.1 or mqtts://host:8883")
    return parts


def web_parts(url: str) -> SplitResult:
    """Parts of a device's address, http(s)://[USER:PASSWORD@]HOST[:PORT]. Raises InputError for another one."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        raise InputError(f"{_shown(url)}: write the address of the device like http://192.168.1.20")
    return parts


def meter_place(url: str) -> tuple[str, int]:
    """Host and port of a meter's address, tcp://HOST:PORT. Raises InputError for another one."""
    parts = _split(url)
    if parts is None or parts.scheme != "tcp" or not parts.hostname or not parts.port:
        raise InputError(f"{url}: write the address of a meter like tcp://192.168.1.20:2001")
    return parts.hostname, parts.port


def _split(url: str) -> SplitResult | None:
    """Parts of an address; None where its port is no number that a port can have."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _shown(url: str) -> str:
    """An address without its password."""
    before, separator, rest = url.partition("://")
    return f"{before}{separator}{rest.rpartition('@')[2]}"
