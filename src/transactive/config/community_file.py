"""From a community file to `core.community.Community`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from transactive.config.checks import check
from transactive.config.presets import with_preset
from transactive.config.storage import taken_out
from transactive.core.community.community import Community
from transactive.core.community.validation import explained
from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.spelling.records import converted
from transactive.core.spelling.toml import parsed
from transactive.market.network.pandapower import read_pandapower

MOVED = ("standing_charge", "standing_charge_n_per_day")
"""Keys of [billing] that were a second standing charge, beside the ledger."""


def load(path: Path, revised: Callable[[Community], Community] = lambda as_written: as_written) -> Community:
    """Read and check a community file. Raises ConfigError naming the key and the nearest known one.

    revised: makes other rules of those that are written, which are checked like them.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give the path of a community file") from None
    try:
        community = converted(with_preset(_without_moved(taken_out(parsed(text))[0])), Community)
    except InputError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {explained(str(error), Community)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: is not TOML: {error}") from None
    community = revised(_with_network(community, path))
    check(community, path.name)
    return community


def _without_moved(data: Any) -> Any:  # noqa: ANN401 - parsed TOML
    """The contents of a file. Raises InputError for a key of [billing] that moved to [tariff], with the way there."""
    billing = data.get("billing") if isinstance(data, dict) else None
    if not isinstance(billing, dict):
        return data
    for old in MOVED:
        if old in billing:
            said = f"standing_charge_n_per_day = {msgspec.json.encode(billing[old]).decode()}"
            raise InputError(
                f"billing.{old} is a charge of the tariff, posted in the ledger and billed from there; write {said}"
                " below [tariff] instead (in a run that goes on: in a [[from]] block)"
            )
    return data


def _with_network(community: Community, path: Path) -> Community:
    """The community with the nodes and lines of the network file that it names, if it does."""
    rules = community.network
    if rules is None or rules.pandapower is None:
        return community
    key = f"{path.name}: network.pandapower {rules.pandapower}"
    if rules.nodes or rules.lines:
        raise ConfigError(f"{key}: stands beside nodes or lines; take one of them out")
    try:
        text = (path.parent / rules.pandapower).read_bytes()
        found = read_pandapower(text, community.market.slot_minutes, rules.power_factor_ppm)
    except OSError as error:
        raise ConfigError(f"{key}: cannot be read ({error.strerror}); correct the path") from None
    except DataError as error:
        raise ConfigError(f"{key}: {error}") from None
    return msgspec.structs.replace(community, network=found)
