"""What is installed beside this code: what packages offer under entry points, and the libraries that extras bring.

Ours are found in the same way as those of others. The distribution `transactive-core` installs only what the box at a
meter needs; a part of the program that lacks its library is named with how to get it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points

from transactive.core.errors import ConfigError, MissingExtra

EXTRAS = {
    "assistant": ("mcp",),
    "bills": ("reportlab",),
    "chain": (
        "eth", "eth_account", "eth_bloom", "eth_typing", "eth_utils", "hexbytes", "requests", "rlp", "web3",
        "websockets",
    ),
    "compiled": ("numba",),
    "forecast": ("lightgbm", "sklearn"),
    "holidays": ("holidays",),
    "live": ("paho",),
    "ocpp": ("ocpp",),
    "market": ("alembic", "fastexcel", "highspy", "polars", "sqlalchemy"),
    "postgresql": ("psycopg",),
    "ray": ("ray",),
    "web": ("argon2", "babel", "jinja2", "litestar", "uvicorn", "webauthn"),
    "zenoh": ("zenoh",),
}  # fmt: skip
"""Libraries by the extra that brings them; where several do, by the one for most."""


def names(group: str) -> tuple[str, ...]:
    """Names that a group has, sorted; nothing is imported."""
    return tuple(sorted(offers(group).names))


def offers(group: str) -> EntryPoints:
    """What installed packages offer under a group."""
    return _offers(group, tuple(sys.path))


@lru_cache(maxsize=32)
def _offers(group: str, _places: tuple[str, ...]) -> EntryPoints:
    """What packages in these places offer; read once, as every package is opened for it."""
    return entry_points(group=group)


def find(group: str, name: str, what: str) -> EntryPoint:
    """The one offer called `name`; `what` says in words or as a key what it is for.

    Raises ConfigError naming the known ones, or all offers of the same name.
    """
    found = tuple(offers(group).select(name=name))
    if not found:
        raise ConfigError(f"{what} {name!r} is not installed; known: {', '.join(names(group)) or 'none'}")
    if len({entry.value for entry in found}) > 1:
        values = ", ".join(sorted(entry.value for entry in found))
        raise ConfigError(f"{what} {name!r} is offered more than once ({values}); uninstall all but one")
    return found[0]


@contextmanager
def named_extras(what: str = "") -> Iterator[None]:
    """Turn the absence of a library that an extra brings into MissingExtra; `what` is what needs it, if that helps."""
    try:
        yield
    except ModuleNotFoundError as error:
        found = advice(error)
        if found is None:
            raise
        raise MissingExtra(f"{what} {found}".strip()) from None


def advice(error: ImportError) -> str | None:
    """What to install for an import that failed, or None where no extra would help."""
    library = (error.name or "").partition(".")[0]
    extra = next((name for name, libraries in EXTRAS.items() if library in libraries), None)
    return extra and f"needs the extra {extra!r}: pip install 'transactive-core[{extra}]'"
