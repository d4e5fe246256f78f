"""A file as people write it, in the base units that its records hold: `feed_in = "8 ct/kWh"` or `pv = "4 kW"`.

Two spellings beside the whole number: text with a unit at the key itself, and the key without its unit, which then has
to say one. Both become the same whole number, so that equal communities are equal, however they were written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from numbers import Real
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from transactive.core.community.validation import bare, is_record, parts
from transactive.core.errors import InputError
from transactive.core.spelling.quantities import kind_of, stem_of, whole
from transactive.core.spelling.toml import parsed

Record = type[msgspec.Struct]
T = TypeVar("T", bound=msgspec.Struct)


def in_base_units(data: Any, record: Record, currency: str | None) -> Any:  # noqa: ANN401 - parsed TOML or JSON
    """The contents of a file with every quantity as a whole number, under the key that its record knows.

    What is wrong in another way is left for the validation of the record. Raises InputError naming the key.
    """
    return _value(data, [record], "", "", currency)


def decoded(text: bytes, record: type[T], currency: str | None = None, *, as_json: bool = False) -> T:
    """A record from the bytes of a file in either spelling. currency: of its money; None takes any.

    Raises InputError naming the key; and, as msgspec does, what `validation.explained` explains.
    """
    return converted(msgspec.json.decode(text) if as_json else parsed(text), record, currency)


def converted(data: Any, record: type[T], currency: str | None = None) -> T:  # noqa: ANN401 - parsed TOML or JSON
    """A record from the contents of a file in either spelling, as `decoded` takes it from its bytes."""
    return msgspec.convert(in_base_units(data, record, currency or _currency(data)), record)


def _currency(data: Any) -> str | None:  # noqa: ANN401 - parsed TOML or JSON
    """Currency that a file names for itself."""
    named = data.get("currency") if isinstance(data, dict) else None
    return named if isinstance(named, str) else None


@cache
def types_of(record: Record) -> Mapping[str, Any]:
    """Types of a record by key. They stand there as text, which takes long to read; a town has thousands of members."""
    return MappingProxyType({field.encode_name: field.type for field in msgspec.structs.fields(record)})


@cache
def short_keys(record: Record) -> Mapping[str, str]:
    """Keys of a record by their name without the unit, where that is the name of only one of them."""
    fields = types_of(record)
    stems = [(stem, key) for key in fields if (stem := stem_of(key)) and stem not in fields]
    return MappingProxyType({stem: key for stem, key in stems if [other for other, _ in stems].count(stem) == 1})


def _value(value: Any, kinds: Sequence[Any], key: str, place: str, currency: str | None) -> Any:  # noqa: ANN401
    """A value of a file at a place where values of some types may stand; key: the last one of the place."""
    inside = [part for kind in kinds for part in parts(kind)]
    if isinstance(value, dict):
        record = _record(value, [part for part in inside if is_record(part)])
        if record is not None:
            return _table(value, record, place, currency)
        items = [get_args(bare(kind))[1] for kind in inside if get_origin(bare(kind)) is dict]
        return {name: _value(item, items, key, f"{place}.{name}", currency) for name, item in value.items()}
    if isinstance(value, list):
        lists = [kind for kind in inside if get_origin(bare(kind)) in (tuple, list)]
        items = [argument for kind in lists for argument in get_args(bare(kind)) if argument is not Ellipsis]
        return [_value(item, items, key, f"{place}[{number}]", currency) for number, item in enumerate(value)]
    plain = {bare(kind) for kind in inside}
    kind = kind_of(key)
    if kind is None or int not in plain or isinstance(value, int):
        return value
    if isinstance(value, str) and str not in plain:
        return whole(value, key, currency, place)
    if isinstance(value, Real):
        raise InputError(f'{place} is {value}; give a whole number of {kind.base}, or text like "{kind.example}"')
    return value


def _table(table: dict[str, Any], record: Record, place: str, currency: str | None) -> dict[str, Any]:
    """A table of a file, with the full names of its keys."""
    types = types_of(record)
    short, done = short_keys(record), dict[str, Any]()
    for written, value in table.items():
        key, here = short.get(written, written), f"{place}.{written}".removeprefix(".")
        if key != written and key in table:
            raise InputError(f"{here} and {key} say the same; take one of them out")
        if key != written and isinstance(value, Real):
            kind = kind_of(key)
            example = kind.example if kind else ""
            raise InputError(f'{here} is {value}, without a unit; write it like "{example}", or {key} = a whole number')
        done[key] = _value(value, [types[key]], key, here, currency) if key in types else value
    return done


def _record(table: dict[str, Any], records: list[Record]) -> Record | None:
    """The record that a table is: the only one, or that whose tag stands there."""
    if len(records) == 1:
        return records[0]
    for record in records:
        config = record.__struct_config__
        if config.tag_field and table.get(config.tag_field) == config.tag:
            return record
    return None
