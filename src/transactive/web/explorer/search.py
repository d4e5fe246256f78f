"""Where a search of the explorer leads: a slot, a block by number or hash, an address, a member by name or number."""

from __future__ import annotations

import re
from collections.abc import Mapping

from transactive.core.errors import InputError
from transactive.core.slots import parse_time, time_text
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.store.read.stages import slot_of_block
from transactive.web.problems import NotFound

HASH, ADDRESS, NUMBER = (re.compile(text) for text in ("0x[0-9a-f]{64}", "0x[0-9a-f]{40}", "[0-9]{1,12}"))
KINDS = "a slot’s time, a block’s number or hash, a contract’s address, or a member’s name or number"


def place_of(text: str, reader: Reader, run: Run, position: RunProgress, contracts: Mapping[str, str]) -> str:
    """The address of the page that a text stands for. contracts: addresses by name. Raises NotFound for nothing."""
    wanted = text.strip().lower()
    if HASH.fullmatch(wanted):
        slot = slot_of_block(reader.store, block_hash=wanted)
        if slot is not None:
            return _slot(slot)
        raise NotFound(f"hash {wanted}: no block of this run has it")
    if ADDRESS.fullmatch(wanted):
        named = next((name for name, address in contracts.items() if address.lower() == wanted), None)
        if named is not None:
            return f"/explorer#contract-{named}"
        raise NotFound(f"address {wanted}: no contract of this community has it")
    ids = [name.lower() for name in run.community.ids]
    if wanted in ids:
        return _member(run, ids.index(wanted), position)
    if NUMBER.fullmatch(wanted):
        return _numbered(int(wanted), reader, run, position)
    try:
        at = parse_time(text.strip())
    except InputError:
        raise NotFound(f"{text.strip()[:80]!r}: nothing is called so; give {KINDS}") from None
    slot = at - (at - run.first_slot) % run.clock.length
    if not run.holds(slot) or position.committed is None or slot > position.committed:
        raise NotFound(f"{text.strip()}: no committed slot of this run is at that time")
    return _slot(slot)


def _numbered(number: int, reader: Reader, run: Run, position: RunProgress) -> str:
    """A block by its number, else a member by its own."""
    slot = slot_of_block(reader.store, number=number)
    if slot is not None:
        return _slot(slot)
    if number < len(run.community.ids):
        return _member(run, number, position)
    raise NotFound(f"{number}: is no block that committed a slot, and no member’s number")


def _member(run: Run, index: int, position: RunProgress) -> str:
    """The proof of a member's newest leaf."""
    if position.committed is None:
        raise NotFound(f"{run.community.ids[index]}: nothing is committed yet")
    return f"{_slot(position.committed)}/{run.community.ids[index]}"


def _slot(slot: int) -> str:
    return f"/explorer/slots/{time_text(slot)}"
