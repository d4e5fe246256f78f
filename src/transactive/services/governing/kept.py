"""Consequences of proposals that the page shows: what a proposal binds, and each member's own line of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from transactive.core.errors import InputError, StateError
from transactive.core.governance.consequences import Document, OwnLine, check_line

FOLDER, DOCUMENT, LINES = "consequences", "document.json", "lines"


@dataclass(frozen=True, slots=True)
class OwnConsequences:
    """A member's line. wrong: why it does not hold, empty if all was checked."""

    line: OwnLine
    wrong: str


def keep(folder: Path, document: bytes, lines: Mapping[int, bytes]) -> str:
    """Keep a document and each member's line in a state folder, all or nothing; SHA-256 of the document.

    Raises StateError where the folder cannot be written.
    """
    digest = sha256(document).hexdigest()
    place, partial = folder / FOLDER / digest, folder / FOLDER / f".{digest}.part"
    if place.is_dir():
        return digest
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / LINES).mkdir(mode=0o700, parents=True)
        (partial / DOCUMENT).write_bytes(document)
        for index, line in lines.items():
            path = partial / LINES / f"{index}.json"
            path.touch(mode=0o600)
            path.write_bytes(line)
        partial.rename(place)
    except OSError as error:
        raise StateError(
            f"{place}: {error.strerror}; free space, or give a state folder that can be written"
        ) from error
    return digest


def digests(folder: Path) -> Iterable[str]:
    """All that are kept, those kept last first."""
    found = [path for path in (folder / FOLDER).glob("*") if (path / DOCUMENT).is_file() and path.name[0] != "."]
    return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)]


def document_of(folder: Path, digest: str) -> Document | None:
    """A document by its SHA-256 in hexadecimal; None where it is not kept. Raises StateError for a damaged one."""
    path = folder / FOLDER / digest / DOCUMENT
    if not digest or not path.is_file():
        return None
    try:
        data = path.read_bytes()
        if sha256(data).hexdigest() != digest:
            raise StateError(f"{path}: is not what it was when it was kept; take it from a backup, or move it away")
        return msgspec.json.decode(data, type=Document)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or move it away") from None


def line_of(folder: Path, digest: str, index: int) -> OwnConsequences | None:
    """A member's line of a kept document, checked against it; None where there is none."""
    document, path = document_of(folder, digest), folder / FOLDER / digest / LINES / f"{index}.json"
    if document is None or not path.is_file():
        return None
    try:
        line = msgspec.json.decode(path.read_bytes(), type=OwnLine)
        check_line(line, document)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or move it away") from None
    except InputError as error:
        return OwnConsequences(line, str(error))
    return OwnConsequences(line, "")
