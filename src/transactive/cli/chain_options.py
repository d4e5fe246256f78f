"""Options that say where to settle and who signs: `--node`, `--deployment`, `--keys`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import is_embedded
from transactive.core.errors import InputError
from transactive.engine.chain_location import IN_FOLDER, ChainLocation

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys


ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def target_of(
    node: str | None,
    deployment: Path | None,
    keys: Path | None,
    password_file: Path | None,
    members: Sequence[str],
    token: str | None = None,
) -> ChainLocation:
    """Target of a run. Raises InputError for options that need others."""
    if node is None:
        if deployment or keys:
            raise InputError("--deployment and --keys are for a node elsewhere; give --node, or leave them out")
        if token:
            raise InputError("--token is of a chain elsewhere; give --node, or leave it out")
        return IN_FOLDER
    if is_embedded(node):
        raise InputError("--node is for a node elsewhere; without it the chain is in the state folder")
    if deployment and token:
        raise InputError("--token goes with contracts that are new; --deployment has a currency already")
    return ChainLocation(
        node,
        deployment,
        keys_of(keys, password_file, members),
        token=None if token is None else address_of(token, "--token"),
    )


def address_of(text: str, option: str) -> str:
    """An address that was given to an option. Raises InputError for what is none."""
    if not ADDRESS.fullmatch(text):
        raise InputError(f"{option} {text}: is no address; give 0x and 40 hexadecimal digits")
    return text


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
