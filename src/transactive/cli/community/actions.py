"""`transactive init`, `check` and `config schema`: a community of one's own, as text files."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from transactive.cli.community.preset_example import with_preset
from transactive.cli.readings.held import held_readings
from transactive.config.example import HOMES, example_readings
from transactive.config.setting import Setting
from transactive.config.shipped import EXAMPLE
from transactive.config.storage import with_storage
from transactive.core.community.community import Community
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.core.spelling.schema import with_spellings
from transactive.engine.governance.recorded_rules import beside, decided_setting, recorded
from transactive.services.feeds.ages import age_words, ages_of
from transactive.texts.community_keys import KEYS
from transactive.texts.formatting import counted


def write_example(folder: Path, preset: str | None = None) -> None:
    """Write community.toml, readings and credits into a folder. Raises InputError rather than replace a file.

    What an earlier try that was killed has written stays, as it is the same.
    preset: a law's model of sharing, in place of a market.
    """
    credit_file = EXAMPLE.with_name("credits.toml").read_text()
    files = {"community.toml": EXAMPLE.read_text(), "readings.csv": example_readings(), "credits.toml": credit_file}
    if preset is not None:
        files = with_preset(preset, files, list(HOMES))
    there = [name for name in files if (folder / name).exists()]
    if any((folder / name).read_bytes() != files[name].encode() for name in there) or len(there) == len(files):
        raise InputError(f"{folder / there[0]}: is there already; choose another folder or move it away")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if name not in there:
            partial = folder / f".{name}.part"
            partial.write_text(text)
            partial.replace(folder / name)
    *most, last = files
    print(f"{folder}: {', '.join(most)} and {last} written", file=sys.stderr)
    print(f"next: transactive run {folder / 'community.toml'}", file=sys.stderr)


def check_community(path: Path, profile: str | None) -> None:
    """Validate a community and its data; says on stdout what they hold."""
    setting = decided_setting(path, profile=profile)
    community = setting.community
    print(f"{path.name} is sound: {len(community.members)} members, {community.currency}, {_span(setting)}")
    if told := held_readings(setting, path):
        print(told)
    if decided := len(recorded(beside(path))):
        print(f"{counted(decided, 'decision')} of members, as the run beside it recorded them")
    for age in ages_of(path):
        print(f"{age.column}: {age_words(age, int(time.time()))}")


def print_schema() -> None:
    """Print JSON Schema of a community file, for editors."""
    print(msgspec.json.format(msgspec.json.encode(with_spellings(schema()))).decode())


def schema() -> dict[str, Any]:
    """JSON Schema of a community file in whole numbers, with what each key means."""
    found = with_storage(msgspec.json.schema(Community))
    for name, record in found["$defs"].items():
        for key, text in KEYS[name].items():
            record["properties"][key]["description"] = text
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "TransActive community"}
    return {**head, **found}


def _span(setting: Setting) -> str:
    """Slots of the readings in words."""
    slots = len(setting.measured.consumption_wh)
    minutes = setting.community.market.slot_minutes
    first, end = time_text(setting.measured.first_slot), time_text(setting.measured_end)
    return f"{slots} slots of {minutes} minutes from {first} to {end}"
