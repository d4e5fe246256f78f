"""What a table tells of itself: a profile by the names of its columns and by its values, or what has to be said."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from transactive.core.errors import DataError, Unsaid
from transactive.core.slots import DAY
from transactive.metering.exports import words
from transactive.metering.exports.guessing.quality import quality_in
from transactive.metering.exports.guessing.rows import UNITS, is_number, is_state, kinds_of_rows, sample_of, unit_beside
from transactive.metering.exports.guessing.times import few, guessed_times
from transactive.metering.exports.heads import two_rows, with_head
from transactive.metering.exports.layout import CLOCK, minute_of
from transactive.metering.exports.profile import (
    Profile,
    Reading,
    Register,
    RegisterRule,
    TimeRule,
    Told,
    Unit,
    shipped_profiles,
)
from transactive.metering.exports.times import TIME_OF_DAY
from transactive.tabular.sheets import Sheet


def known_profile(sheet: Sheet) -> tuple[str, Profile] | None:
    """The shipped profile whose columns a table has; of several the one that asks for most."""
    there = {words.plain(name) for name in sheet.columns} | {words.plain(row[0]) for row in sheet.above if row}
    fits = [
        (len(profile.signature), name, profile)
        for name, profile in shipped_profiles().items()
        if profile.format == "table" and profile.signature and {words.plain(n) for n in profile.signature} <= there
    ]
    best = max(fits, default=None, key=lambda fit: fit[0])
    return best and (best[1], _with_more(best[2], sheet))


def _with_more(profile: Profile, sheet: Sheet) -> Profile:
    """A profile with registers that it does not know and this file has, where their columns say what they are."""
    plain_table = not (profile.day_rows or profile.head or any(rule.where for rule in profile.registers))
    known = {words.plain(rule.column) for rule in profile.registers}
    there = {rule.register for rule in profile.registers if words.plain(rule.column) in map(words.plain, sheet.columns)}
    more = [
        RegisterRule(column=name, register=register, unit=unit, reading="power" if unit in ("W", "kW") else "energy")
        for name in sheet.columns
        if plain_table and (register := words.register_of(name)) and (unit := words.unit_of(name))
        and words.plain(name) not in known and register not in there
    ]  # fmt: skip
    return msgspec.structs.replace(profile, registers=(*profile.registers, *more)) if more else profile


def guessed(sheet: Sheet, told: Told) -> Profile:
    """A profile of a table that no shipped one knows. Raises DataError naming what has to be said."""
    if head := two_rows(sheet):
        return msgspec.structs.replace(guessed(with_head(sheet, head), told), head=head)
    samples = {name: sample_of(sheet, name) for name in sheet.columns}
    if told.reading == "total" or any(is_state(sheet, name, samples[name]) for name in sheet.columns):
        told = replace(told, stamp="start")  # a register is read at a moment, which begins the next slot
    time = guessed_times(sheet, samples, told)
    taken = {*time.columns, time.end, time.zone_column}
    clock_columns = [name for name in sheet.columns if name not in taken and TIME_OF_DAY.match(name.strip())]
    if len(clock_columns) >= 23 and len(time.columns) == 1:
        stamp = told.stamp or _stamp_of_day(sheet, clock_columns)
        return _day_rows(sheet, msgspec.structs.replace(time, stamp=stamp), told)
    rest = [name for name in sheet.columns if name not in taken]
    meter = _named(rest, words.METER)
    quality = quality_in(sheet, rest)
    rest = [name for name in rest if name != meter and not (quality and name == quality.column)]
    numbers = _sums_alone([name for name in rest if _says(name) or is_number(samples[name])], samples)
    registers = kinds_of_rows(sheet, rest, told) or tuple(
        rule for name in numbers if (rule := _register(sheet, name, numbers, told))
    )
    if not registers:
        raise DataError(
            f"{sheet.name}: no column says what it measures, such as consumption_wh or import (kWh); it has"
            f" {few(sheet.columns)}; write a profile that names them"
        )
    _refuse_two_of_one(sheet, registers)
    return Profile(
        title=f"as found in {sheet.name}", time=time, meter=meter, registers=registers,
        quality=quality,
    )  # fmt: skip


def with_told(profile: Profile, told: Told) -> Profile:
    """A profile with what somebody says beside it."""
    time = profile.time
    if time:
        said = {"zone": told.zone, "stamp": told.stamp, "order": told.order}
        time = msgspec.structs.replace(time, **{key: value for key, value in said.items() if value})
    alone = told.register if len({rule.register for rule in profile.registers}) == 1 else None
    rules = tuple(
        msgspec.structs.replace(
            rule, unit=told.unit or rule.unit, reading=told.reading or _reading(told.unit, rule),
            register=alone or rule.register,
        )
        for rule in profile.registers
    )  # fmt: skip
    exchanged = profile.exchanged if told.exchanged is None else told.exchanged
    return msgspec.structs.replace(profile, time=time, registers=rules, exchanged=exchanged)


def _reading(unit: Unit | None, rule: RegisterRule) -> Reading:
    if unit is None:
        return rule.reading
    return "power" if unit in ("W", "kW") else "total" if rule.reading == "total" else "energy"


def _named(names: list[str], known: tuple[str, ...]) -> str | None:
    found = [name for name in names if words.plain(name) in known]
    return found[0] if found else None


def _refuse_two_of_one(sheet: Sheet, rules: tuple[RegisterRule, ...]) -> None:
    """Refuse two columns of one register unless they are its parts, tariffs or phases, which are added up."""
    for rule in rules:
        same = [other.column for other in rules if (other.register, other.meter) == (rule.register, rule.meter)]
        if len(same) > 1 and not all(words.PARTS.search(words.plain(name)) for name in same):
            raise DataError(
                f"{sheet.name}: columns {' and '.join(same)} both count {rule.register}; name the one that counts in a"
                " profile, or all of them if they add up"
            )


def _sums_alone(names: list[str], samples: dict[str, list[str]]) -> list[str]:
    """Columns without tariffs and phases whose sum has one of its own: phases add up to more than what counts."""
    sums = [name for name in names if _words_of(name) & set(words.TOTAL)]
    names = [name for name in names if name not in sums or samples[name]]  # nobody filled it in
    summed = {words.register_of(name) for name in sums if name in names and not words.no_register(name)}
    parts = [name for name in names if name not in sums and words.PARTS.search(words.plain(name))]
    return [name for name in names if name not in parts or words.register_of(name) not in summed]


def _words_of(name: str) -> set[str]:
    """The words of a column's name."""
    return set(re.findall(r"\w+", words.plain(name)))


def _says(name: str) -> bool:
    """Whether a name says both what is measured and in which unit, so that anything but numbers below it is a fault."""
    return bool(words.register_of(name) and words.unit_of(name))


def _register(sheet: Sheet, name: str, numbers: list[str], told: Told) -> RegisterRule | None:
    """What a column counts; None for one whose name says nothing of energy."""
    register = words.register_of(name)
    unit_there = words.unit_of(name)
    unit = told.unit or unit_there
    both = {"import", "export"} <= {words.register_of(other) for other in numbers}
    if words.no_register(name) or (both and words.STORED.search(words.plain(name))):
        return None
    counting = [other for other in numbers if not words.no_register(other)]
    parts = all(words.PARTS.search(words.plain(other)) for other in counting)
    alone = len(counting) == 1 or (parts and not any(map(words.register_of, counting)))
    if alone:
        register, unit = told.register or register or _said_above(sheet), unit or unit_beside(sheet)
    if register is None and (unit_there or alone):
        raise Unsaid(
            f"{sheet.name}: column {name}: is it import, export, consumption or generation? say --register import or"
            " the"
            " like, or name it in a profile",
            "register",
            ("import", "export", "net", "consumption", "generation"),
        )
    if register is None:
        return None
    if unit is None:
        raise Unsaid(
            f"{sheet.name}: column {name}: no unit stands there; say --unit Wh, kWh, MWh, W or kW, or unit under"
            " [data]",
            "unit",
            UNITS,
        )
    state = is_state(sheet, name, sample_of(sheet, name))
    reading: Reading = told.reading or ("power" if unit in ("W", "kW") else "total" if state else "energy")
    return RegisterRule(column=name, register=register, unit=unit, reading=reading, meter=_meter_in(name, numbers))


def _said_above(sheet: Sheet) -> Register | None:
    """What the rows above the head say that the table counts, where they name one register alone."""
    said = {register for row in sheet.above for cell in row if (register := words.register_of(cell))}
    return said.pop() if len(said) == 1 else None


def _meter_in(name: str, numbers: list[str]) -> str | None:
    """Whose column it is, where each meter has columns of its own: the name without register and unit."""
    if len(numbers) < 3:
        return None
    registers = {other: register for other in numbers if (register := words.register_of(other))}
    for register in dict.fromkeys(registers.values()):
        same = [other for other, one in registers.items() if one == register]
        bare = {_bare(other) for other in same}
        if all(words.PARTS.fullmatch(words.plain(part)) for part in bare):
            continue  # phases and tariffs of one meter
        if len(bare) == len(same) > 1 and all(bare):
            return _bare(name) or None  # a meter with one register has a column of its own too
    return None


def _bare(name: str) -> str:
    """A column's name without register and unit."""
    parts = [part for part in re.split(r"[_\s()\[\],;:/|]+", name) if part]
    return " ".join(part for part in parts if not words.register_of(part) and not words.unit_of(part))


def _stamp_of_day(sheet: Sheet, names: list[str]) -> str:
    """Which end of its slot a column of a day names. Raises Unsaid where neither its first nor its last tells."""
    if any(re.search("[-–]", name) or not CLOCK.search(name) for name in names) or not minute_of(names[0]):
        return "start"
    if minute_of(names[-1]) in (0, DAY // 60):
        return "end"
    raise Unsaid(
        f"{sheet.name}: columns run from {names[0]} to {names[-1]}: does one name the start or the end of its slot? Say"
        ' --stamp start or --stamp end, or stamp = "start" under [data]',
        "stamp",
        ("start", "end"),
    )


def _day_rows(sheet: Sheet, time: TimeRule, told: Told) -> Profile:
    """A row a day: the columns are times, and the value is what the file or somebody says."""
    bare_name = re.sub(r"(ex|im)port[a-z]*", " ", sheet.name, flags=re.IGNORECASE)  # any file is an export
    around = " ".join((bare_name, *(cell for row in sheet.above for cell in row)))
    sums = " ".join(name for name in sheet.columns if words.plain(name).split(" ")[0] in words.TOTAL)
    unit = told.unit or words.unit_of(around) or words.unit_of(sums)
    if unit is None:
        raise Unsaid(
            f"{sheet.name}: a row is a day, and no unit stands there; say --unit Wh, kWh or kW, or unit under [data]",
            "unit",
            ("Wh", "kWh", "W", "kW"),
        )
    register = told.register or words.register_of(around)
    reading: Reading = told.reading or ("power" if unit in ("W", "kW") else "energy")
    if register is None:
        raise Unsaid(
            f"{sheet.name}: a row is a day, of import or of export? say --register import or the like",
            "register",
            ("import", "export", "net", "consumption", "generation"),
        )
    rule = RegisterRule(column="value", register=register, unit=unit, reading=reading)
    meter = next((n for n in sheet.columns if words.plain(n) in words.METER), None)
    return Profile(title=f"as found in {sheet.name}", time=time, registers=(rule,), day_rows=True, meter=meter)
