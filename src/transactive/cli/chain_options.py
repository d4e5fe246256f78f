"""Options that say where to settle and who signs: `--node`, `--deployment`, `--keys`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import is_embedded
from transactive.core.errors import InputError
from transactive.engine.chain_location import IN_FOLDER, ChainLocation

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys


def target_of(
    node: str | None, deployment: Path | None, keys: Path | None, password_file: Path | None, members: Sequence[str]
) -> ChainLocation:
    """Target of a run. Raises InputError for options that need others."""
    if node is None:
        if deployment or keys:
            raise InputError("--deployment and --keys are for a node elsewhere; give --node, or leave them out")
        return IN_FOLDER
    if is_embedded(node):
        raise InputError("--node is for a node elsewhere; without it the chain is in the state folder")
    return ChainLocation(node, deployment, keys_of(keys, password_file, members))


def keys_of(folder: Path | None, password_file: Path | None, members: Sequence[str]) -> Keys | None:
    """Keys in a folder, None without one. Raises InputError if the folder lacks one."""
    if folder is None:
        return None
    from transactive.chain.keys.keystore import KeyFolder, OwnKeys, all_keys
    from transactive.cli.keys.commands import read_password

    chosen = KeyFolder(folder)
    missing = set(all_keys(members)) - set(chosen.addresses())
    if missing:
        raise InputError(
            f"--keys {folder}: has no key {min(missing)}; `keys new --community FILE` makes all that it needs"
        )
    return OwnKeys(chosen, lambda: read_password(password_file), members)
