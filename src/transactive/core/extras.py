"""Which extra brings which library: a part of the program that is not installed is named with how to get it.

The distribution `transactive-core` installs only what the box at a meter needs; the rest of this code needs extras.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from transactive.core.errors import MissingExtra

EXTRAS = {
    "chain": (
        "eth", "eth_account", "eth_bloom", "eth_typing", "eth_utils", "hexbytes", "requests", "rlp", "web3",
        "websockets",
    ),
    "compiled": ("numba",),
    "forecast": ("lightgbm", "sklearn"),
    "holidays": ("holidays",),
    "market": ("highspy", "polars", "sqlalchemy"),
    "ray": ("ray",),
    "web": ("jinja2", "litestar", "uvicorn"),
}  # fmt: skip
"""Libraries by the extra that brings them; where several do, by the one for most."""


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
