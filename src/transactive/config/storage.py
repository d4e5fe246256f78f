"""Where a run keeps its state: `[store]` of a community file, which is about this machine and not about the community.

No two folders of one community need agree on it, so it is no part of what statements and states carry.
"""

from __future__ import annotations

from typing import Any

import msgspec

from transactive.core.community.records import CommunityRecord
from transactive.core.community.validation import explained
from transactive.core.errors import ConfigError

KEY = "store"


class StorageRules(CommunityRecord, frozen=True, kw_only=True):
    """The database of a run. url: `postgresql://user@host:5432/database`; without one a file in the state folder."""

    url: str | None = None


def taken_out(data: Any) -> tuple[Any, StorageRules]:  # noqa: ANN401 - parsed TOML
    """The contents of a community file without `[store]`, and that. Raises ConfigError naming the key."""
    if not isinstance(data, dict) or KEY not in data:
        return data, StorageRules()
    try:
        rules = msgspec.convert(data[KEY], StorageRules)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{KEY}: {explained(str(error), StorageRules)}") from None
    return {key: value for key, value in data.items() if key != KEY}, rules


def with_storage(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of a community with this table beside the others, as its file has it."""
    schema["$defs"] |= msgspec.json.schema(StorageRules)["$defs"]
    schema["$defs"]["Community"]["properties"][KEY] = {"$ref": "#/$defs/StorageRules", "default": {}}
    return schema


def storage_of(text: bytes) -> StorageRules:
    """What a community file that was read already says of it."""
    return taken_out(msgspec.toml.decode(text))[1]
