"""The laws' models of sharing: presets that a community file names, each with its source and a worked example."""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from transactive.core.community.community import Community
from transactive.core.community.sharing_rules import SharingRules
from transactive.core.errors import ConfigError
from transactive.core.spelling.records import in_base_units

PRESETS = Path(__file__).parents[1] / "data" / "sharing"


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slot worked by hand: what all give, what each takes and gets [Wh], by which shares [ppm].

    surplus_wh: what is left of the shares and belongs to their holders. incentive: at a market's price [µ¤/kWh].
    """

    given_wh: int
    taken_wh: tuple[int, ...]
    used_wh: tuple[int, ...]
    shares_ppm: tuple[int, ...] = ()
    surplus_wh: tuple[int, ...] = ()
    zonal_price_micro_per_kwh: int | None = None
    incentive_micro_per_kwh: int | None = None


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A law's model. law: what orders it; source: where we read it; note: what to know of it.

    slot_minutes: the law's step, None where it has none. fixed: keys of [sharing] that the law leaves no choice in.
    sharing: what the preset says, as a community file would.
    """

    title: str
    country: str
    law: str
    source: str
    note: str
    fixed: tuple[str, ...]
    sharing: dict[str, Any]
    example: Example
    slot_minutes: int | None = None


@cache
def presets() -> dict[str, Preset]:
    """All presets by name."""
    paths = sorted(PRESETS.glob("*.toml"))
    return {path.stem: msgspec.toml.decode(path.read_bytes(), type=Preset) for path in paths}


def preset_of(name: str) -> Preset:
    """The preset of a name. Raises ConfigError naming the nearest."""
    if name not in presets():
        near = difflib.get_close_matches(name, presets(), 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(presets())}"
        raise ConfigError(f"sharing.preset {name!r} is none of ours; {hint}")
    return presets()[name]


def with_preset(data: Any) -> Any:  # noqa: ANN401 - parsed TOML
    """The contents of a community file with what its preset of sharing says, where it names one. Raises ConfigError."""
    sharing = data.get("sharing") if isinstance(data, dict) else None
    name = sharing.get("preset") if isinstance(sharing, dict) else None
    if not isinstance(name, str) or not isinstance(sharing, dict):
        return data
    currency = data.get("currency")
    own = in_base_units(sharing, SharingRules, currency if isinstance(currency, str) else None)
    return {**data, "sharing": _merged(in_base_units(preset_of(name).sharing, SharingRules, None), own)}


def check_preset(rules: SharingRules, slot_minutes: int) -> None:
    """Raise ConfigError for a key that the law leaves no choice in, and for steps of another length [min] than its own.

    Over longer steps more would be shared than the law allows.
    """
    if rules.preset is None:
        return
    preset = preset_of(rules.preset)
    if preset.slot_minutes not in (None, slot_minutes):
        raise ConfigError(
            f"sharing.preset {rules.preset} shares in steps of {preset.slot_minutes} minutes by {preset.law}; set"
            f" market.slot_minutes = {preset.slot_minutes}, or leave the preset out and name its keys"
        )
    theirs = {"price_micro_per_kwh": 0, **in_base_units(preset.sharing, SharingRules, None)}
    said = msgspec.convert(theirs, SharingRules)
    for key in preset.fixed:
        if getattr(rules, key) != getattr(said, key):
            raise ConfigError(
                f"sharing.{key} is {_shown(getattr(rules, key))}, and the preset {rules.preset} has"
                f" {_shown(getattr(said, key))} by {preset.law}; take one of them out"
            )


def _shown(value: object) -> str:
    """A value as a file writes it."""
    return msgspec.json.encode(value).decode()


def _merged(theirs: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What a preset says, and over it what the file says; of an incentive, key by key."""
    merged = {**theirs, **own}
    if isinstance(theirs.get("incentive"), dict) and isinstance(own.get("incentive"), dict):
        merged["incentive"] = {**theirs["incentive"], **own["incentive"]}
    return merged


def known(community: Community) -> Preset | None:
    """The preset that a community follows, if it names one that ships."""
    rules = community.sharing_in_force
    return presets().get(rules.preset) if rules is not None and rules.preset is not None else None
