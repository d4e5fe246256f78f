"""URLs of chains: which of them is a file of this program, and where it lies."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from transactive.core.errors import ChainError

CHAIN_FILE = "chain.sqlite"
"""Name of the embedded chain in a state folder."""
EMBEDDED = "embedded:"
IN_MEMORY = ":memory:"


def is_embedded(url: str) -> bool:
    """Whether the URL names a chain in a file."""
    return url.startswith(EMBEDDED)


def embedded_path(url: str) -> str:
    """File of an `embedded:` URL: as named, or the chain in a named folder."""
    path = url.removeprefix(EMBEDDED)
    return str(Path(path) / CHAIN_FILE) if Path(path).is_dir() else path


def existing_path(url: str) -> Path:
    """File of an `embedded:` URL that must be there. Raises ChainError otherwise."""
    if not is_embedded(url):
        raise ChainError(f"{url}: is no embedded chain; give embedded:DIR with a run's state folder")
    path = Path(embedded_path(url))
    if not path.is_file():
        raise ChainError(f"{url}: there is no chain at {path}; give embedded:DIR with a run's state folder")
    return path


def shown(url: str) -> str:
    """URL without user, password, path and query: those of hosted nodes hold secrets, and messages are kept."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url
