"""From a community file to `core.community.Community`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.config.checks import check
from transactive.config.presets import with_preset
from transactive.core.community.community import Community
from transactive.core.community.validation import explained
from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.spelling.records import converted
from transactive.market.network.pandapower import read_pandapower


def load(path: Path) -> Community:
    """Read and check a community file. Raises ConfigError naming the key and the nearest known one."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give the path of a community file") from None
    try:
        community = converted(with_preset(msgspec.toml.decode(text)), Community)
    except InputError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {explained(str(error), Community)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: is not TOML: {error}") from None
    community = _with_network(community, path)
    check(community, path.name)
    return community


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
