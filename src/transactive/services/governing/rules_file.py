"""Changes of rules that whoever operates sets on the page: blocks at the end of the community file.

They can be undone before their slot. What was set here is known by its first line, so the file alone says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import filelock
import msgspec

from transactive.chain.governance.place import is_governed
from transactive.config.community_file import load
from transactive.core.errors import ConfigError, InputError, StateError
from transactive.core.governance.numbers import NUMBERS
from transactive.core.slots import parse_time, time_text
from transactive.services.governing.drafts import numbers_of

MARK = "# Set on the page by "
LOCK = "rules.lock"
BLOCK = re.compile(rf"\n{MARK}(?P<by>[^\n]*), (?P<at>[0-9TZ:-]+)\.\n(?P<block>\[\[from\]\]\n(?:[^\n]+\n)+)")
TABLES = {"tariff": "from.tariff", "levy": "from.carbon.levy", "sharing": "from.sharing"}


@dataclass(frozen=True, slots=True)
class SetBlock:
    """A block that was set on the page. since: its slot, at: when it was set [Unix s]; text: all of it in the file."""

    by: str
    at: int
    since: int
    numbers: Mapping[str, int]
    text: str


def set_blocks(community: Path) -> list[SetBlock]:
    """Blocks of a community file that were set on the page, in their order."""
    found = []
    for match in BLOCK.finditer(_read(community)):
        try:
            block = msgspec.toml.decode(match["block"])["from"][0]
            numbers, since = numbers_of(block), parse_time(block["slot"])
        except (msgspec.DecodeError, InputError, KeyError, IndexError):
            continue  # somebody has changed it: it is the file's own now
        made = SetBlock(match["by"], parse_time(match["at"]), since, numbers, match[0])
        found += [made] if _block(numbers, since, made.by, made.at) == made.text else []
    return found


def set_numbers(
    state: Path, community: Path, numbers: Mapping[str, int], since: int, open_from: int, who: tuple[str, int]
) -> None:
    """Let numbers hold from a slot on: a block at the end of the community file, whole or not at all.

    open_from: first slot of which nothing is traded yet [Unix s]. who: sets it, and when. Raises InputError where the
    slot is not open, members decide on the numbers, or the file would not be a right one.
    """
    if is_governed(state):
        raise InputError("members decide on these numbers; what you drafted can be proposed by one of them")
    if since < open_from:
        raise InputError(
            f"{time_text(since)} is too early: slots up to {time_text(open_from)} are traded; give a later one"
        )
    with filelock.FileLock(state / LOCK, mode=0o600):
        _replace(community, _read(community).rstrip("\n") + "\n" + _block(numbers, since, *who))


def undo(state: Path, community: Path, since: int, open_from: int) -> None:
    """Take back what was set last, before its slot. since: its slot, so that nothing else is taken back.

    Raises InputError where it has begun, or is not the last of the file.
    """
    with filelock.FileLock(state / LOCK, mode=0o600):
        text, blocks = _read(community), set_blocks(community)
        last = blocks[-1] if blocks and text.endswith(blocks[-1].text) else None
        if last is None or last.since != since:
            raise InputError(
                f"{community.name}: what was set for {time_text(since)} is not its last block; edit the file"
            )
        if since < open_from:
            raise InputError(
                f"{time_text(since)} has begun: rules never change backwards; set other numbers from now on"
            )
        _replace(community, text.removesuffix(last.text))


def _block(numbers: Mapping[str, int], since: int, by: str, at: int) -> str:
    """A block as it stands in the file."""
    name = "".join(letter for letter in by if letter.isprintable()) or "its operator"
    lines = ["", f"{MARK}{name}, {time_text(at)}.", "[[from]]", f'slot = "{time_text(since)}"']
    for part, table in TABLES.items():
        own = [number for number in NUMBERS if number.name in numbers and number.part == part]
        lines += [f"[{table}]"] if own else []
        lines += [f"{number.key} = {msgspec.json.encode(number.said(numbers[number.name])).decode()}" for number in own]
    return "\n".join(lines) + "\n"


def _read(community: Path) -> str:
    """Text of the file. Raises StateError."""
    try:
        return community.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{community}: cannot be read ({error}); give the file that the run began with") from None


def _replace(community: Path, text: str) -> None:
    """Put another text into the file, after it was checked like any community file. Raises InputError, StateError."""
    place = community.resolve()
    partial = place.with_name(f".{place.name}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.chmod(place.stat().st_mode & 0o777)
        load(partial)
        partial.replace(place)
    except ConfigError as error:
        raise InputError(str(error).replace(partial.name, place.name)) from None
    except OSError as error:
        raise StateError(f"{place}: {error.strerror}; give the page the right to write it") from error
    finally:
        partial.unlink(missing_ok=True)
