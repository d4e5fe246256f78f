"""What a device says in JSON, or as a bare number, over HTTP or MQTT.

A raw message is a JSON object of places (topics, or paths of an address) and the texts that stood there.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, NoReturn

from transactive.core.errors import DataError
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.profile import HttpProfile, JsonPlace, MqttProfile
from transactive.metering.meters.values import ReadValue, number_of, seconds_of, state_of

MOST = 262_144
"""Bytes of a message, at most."""


def pack_texts(texts: dict[str, str]) -> bytes:
    """A raw message of what stood at each place."""
    return json.dumps(texts, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogateescape")


def places_of(profile: HttpProfile | MqttProfile) -> tuple[str, ...]:
    """Where a device of this kind is read, each place once."""
    places = [register.at for register in profile.registers]
    return tuple(dict.fromkeys(places + ([profile.time.at] if profile.time else [])))


def decode_texts(profile: HttpProfile | MqttProfile, raw: bytes) -> MeterState:
    """Registers of a raw message. Raises DataError naming the place and the key."""
    if len(raw) > MOST:
        raise DataError(f"a message has {len(raw):,} bytes, more than {MOST:,}; is this the device of the profile?")
    texts = _json(raw.decode("utf-8", "replace"), "message")
    if not isinstance(texts, dict):
        raise DataError("message is no object of places and texts")
    parsed = dict[str, object]()
    for place in places_of(profile):
        text = texts.get(place)
        if not isinstance(text, str):
            raise DataError(f"{place}: nothing was said there")
        bare = not any(register.path for register in profile.registers if register.at == place)
        parsed[place] = text.strip() if bare else _json(text, place)
    at = None
    if profile.time:
        what = f"{profile.time.at} {profile.time.path}"
        at = seconds_of(_at_path(parsed[profile.time.at], profile.time.path, what), profile.time.form, what)
    return state_of(
        (
            ReadValue(
                what := f"{one.at} {one.path}".strip(),
                one.register,
                number_of(_at_path(parsed[one.at], one.path, what), what),
                one.unit,
                one.sign,
            )
            for one in profile.registers
        ),
        at,
    )


def number_in(text: str, place: JsonPlace) -> Fraction:
    """The number that a place of a profile has in a text, with its sign. Raises DataError naming place and key."""
    what = f"{place.at} {place.path}".strip()
    value: object = _json(text, place.at) if place.path else text.strip()
    return number_of(_at_path(value, place.path, what), what) * place.sign


def _at_path(value: object, path: str, what: str) -> object:
    """The value at a path: keys and positions from the outside in; `[key=value]` is the one element that has it."""
    for step in path.split(".") if path else ():
        value = _step(value, step, what)
    return value


def _step(value: object, step: str, what: str) -> object:
    """One step of a path. Raises DataError where it leads nowhere, or to two elements."""
    if step.startswith("[") and isinstance(value, list):
        key, _, wanted = step.strip("[]").partition("=")
        found = [one for one in value if isinstance(one, dict) and str(one.get(key)) == wanted]
        if len(found) != 1:
            raise DataError(f"{what}: {len(found)} elements have {key} = {wanted}, not one")
        return found[0]
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    if isinstance(value, dict) and step in value:
        return value[step]
    raise DataError(f"{what}: there is no {step!r}; is this the device of the profile?")


def _json(text: str, what: str) -> Any:  # noqa: ANN401 - whatever a device says
    """JSON, its numbers as they are written.

    Raises DataError, also for a key that stands there twice: nobody knows which of its values holds.
    """
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise DataError(f"{what}: is no JSON ({str(error)[:80]})") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys stand there once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DataError("a key stands twice in one object; which one holds?")
    return found


def _no_number(text: str) -> NoReturn:
    """NaN and infinity are no registers."""
    raise DataError(f"{text} is no number")
