"""Values as people write them, as the contracts take them: a function for each kind, from text to arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from eth_utils.crypto import keccak

from transactive.chain.acts.act import Fixed, Kind
from transactive.chain.acts.call import Call
from transactive.chain.acts.deal_values import deal, deals_beyond, own_deal
from transactive.chain.acts.signed_values import direct_issue, leaf_shown, meter_signature, permit, registers
from transactive.chain.twins.registry import CONSUMER, PRODUCER, STORAGE
from transactive.core.errors import InputError
from transactive.core.slots import parse_time

AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?")
NUMBER = re.compile(r"\d{1,78}|0x[0-9a-fA-F]{1,64}")
UNLIMITED = 2**256 - 1
NONE = "none"
PER_KWH = 1000
"""A price per Wh is so much less than one per kWh."""
ROLES = {"producer": PRODUCER, "consumer": CONSUMER, "storage": STORAGE}

Arguments = tuple[Any, ...]


def arguments(call: Call, given: dict[str, str]) -> list[Any]:
    """Arguments of an act's function from what was given by name. Raises InputError naming the value that is wrong."""
    made: list[Any] = []
    for take in call.act.takes:
        if isinstance(take, Fixed):
            made.append(take.value)
            continue
        try:
            made += KINDS[take.kind](call, given[take.name], made)
        except InputError as error:
            raise type(error)(f"{take.name.replace('_', '-')}: {error}") from error
    return made


def amount_n(text: str) -> int:
    """Money [n¤] of a decimal number with up to nine decimals. Raises InputError."""
    if not AMOUNT.fullmatch(text) or not (found := decimal_n(text)):
        raise InputError(f"amount {text!r}: give a number above zero with up to nine decimals, like 12.50")
    return found


def decimal_n(text: str) -> int:
    """Billionths of a decimal number, which may be 0. Raises InputError."""
    match = AMOUNT.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r}: give a number with up to nine decimals, like 12.50, or 0")
    whole, part = match.groups(default="")
    return int(whole) * 10**9 + int(part.ljust(9, "0"))


def number(text: str) -> int:
    """A whole number, decimal or 0x-hex. Raises InputError."""
    if not NUMBER.fullmatch(text):
        raise InputError(f"{text!r} is no whole number")
    return int(text, 0)


def listed(text: str) -> list[str]:
    """Parts of a text that commas join; none of an empty one."""
    return [part.strip() for part in text.split(",") if part.strip()]


# -- a function for each kind ---------------------------------------------------------------------------------


def _plain(convert: Callable[[str], Any]) -> Callable[[Call, str, Sequence[Any]], Arguments]:
    """Kind that is one argument and needs nothing but its text."""
    return lambda _call, text, _made: (convert(text),)


def _limit(_: Call, text: str, __: Sequence[Any]) -> Arguments:
    return (UNLIMITED if text == NONE else amount_n(text),)


def _price(text: str) -> int:
    price, rest = divmod(amount_n(text), PER_KWH)
    if rest:
        raise InputError(f"price {text!r}: give at most six decimals")
    return price


def _registry_index(call: Call, text: str, _: Sequence[Any]) -> Arguments:
    if text.isdigit() and text not in call.known.accounts:
        return (int(text),)
    place, _roles = call.client.read(call.contract, "standing", call.address(text))
    if not place:
        raise InputError(f"{text!r} is not in the registry; `chain registry register` enters it")
    return (int(place) - 1,)


def _roles(text: str) -> int:
    unknown = [one for one in listed(text) if one not in ROLES]
    if unknown:
        raise InputError(f"{unknown[0]!r} is no role; there are {', '.join(ROLES)}")
    return sum({ROLES[one] for one in listed(text)})


def _meter_readings(text: str) -> list[tuple[int, ...]]:
    rows = [tuple(number(part) for part in one.split(":")) for one in listed(text)]
    if not rows or any(len(row) != len(("meter", "exported", "imported")) for row in rows):
        raise InputError("write meter:exported:imported [Wh], joined by commas, as in 0:800:0,3:0:120")
    return rows


def _hashed(text: str) -> bytes:
    """32 bytes that are given as 0x-hex, or the hash of a name."""
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text[2:])
    return keccak(text=text)


def _slot_number(call: Call, text: str, _: Sequence[Any]) -> Arguments:
    return (parse_time(text) // call.slot_seconds,)


def _enrolled(call: Call, text: str, _: Sequence[Any]) -> Arguments:
    count = number(text) if text else int(call.client.read(call.settlement, "memberCount"))
    return ([call.client.read(call.settlement, "accountOf", index) for index in range(count)],)


KINDS: dict[Kind, Callable[[Call, str, list[Any]], Arguments]] = {
    "address": lambda call, text, _: (call.address(text),),
    "deal": deal,
    "deals beyond": deals_beyond,
    "enrolled": _enrolled,
    "index": lambda call, text, _: (call.known.index(text),),
    "leaf": leaf_shown,
    "limit": _limit,
    "link": lambda call, text, _: (call.address(text or "group_link"),),
    "meter signature": meter_signature,
    "money": _plain(amount_n),
    "number": _plain(number),
    "numbers": _plain(lambda text: [number(one) for one in listed(text)]),
    "opening": lambda call, text, _: (call.opening(text).content,),
    "own deal": own_deal,
    "permit": permit,
    "price": _plain(_price),
    "project": _plain(_hashed),
    "readings": _plain(_meter_readings),
    "registers": registers,
    "registry index": _registry_index,
    "roles": _plain(_roles),
    "slot": _plain(parse_time),
    "slot number": _slot_number,
    "slot numbers": lambda call, text, _: ([parse_time(one) // call.slot_seconds for one in listed(text)],),
    "spared": lambda call, text, made: direct_issue(call, listed(text), made),
    "text": _plain(str),
    "time": _plain(lambda text: parse_time(text) if text else 0),
    "total": _plain(decimal_n),
    "whole opening": lambda call, text, _: (call.opening(text, call.whole).content,),
    "words": _plain(_hashed),
}
