"""Where the members of a run decide: the node and the contracts of their governor, noted beside the run."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.chain.deployments.deployment import Deployment
from transactive.chain.nodes.urls import shown
from transactive.core.errors import StateError

FILE = "governor.json"


class GovernedPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """node: URL without secrets; deployment: with the governor."""

    node: str
    deployment: Deployment


def is_governed(folder: Path) -> bool:
    """Whether the members of the run in a state folder have a governor that is known here."""
    return (folder / FILE).is_file()


def place_of(folder: Path) -> GovernedPlace | None:
    """Where the members of a run decide; None without a governor. Raises StateError for a damaged note."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=GovernedPlace)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); give `serve` --node and --deployment again") from None


def note_place(folder: Path, node: str, known: Deployment) -> None:
    """Note where members decide, whole or not at all; nothing is noted of a deployment without a governor.

    Raises StateError where the folder cannot be written.
    """
    if "governor" not in known.contracts:
        return
    made = GovernedPlace(node=shown(node), deployment=known)
    if place_of(folder) == made:
        return
    path = folder / FILE
    partial = path.with_name(f".{FILE}.part")
    try:
        partial.touch(mode=0o600)
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
        partial.replace(path)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}; give a state folder that can be written") from error
