"""`transactive import`: say what a file of readings holds, ask what it does not tell, and write it as it should be."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from transactive.cli.output import write_parquet
from transactive.core.errors import InputError, Unsaid
from transactive.metering.exports.belief import believed
from transactive.metering.exports.kept import kept_readings
from transactive.metering.exports.profile import profile_text
from transactive.metering.exports.reader import Export, ReadOptions, read_exports
from transactive.services.readings.words import in_words
from transactive.tabular.moments import check_zone


@dataclass(frozen=True, slots=True)
class Import:
    """What to read and where to write it. profile_file: where the profile is kept, beside the output without one."""

    files: tuple[Path, ...]
    options: ReadOptions
    output: Path | None
    profile_file: Path | None


def import_files(wish: Import, *, json: bool) -> None:
    """Read, tell, and write readings and profile. Raises Unsaid where nobody can be asked."""
    if wish.output and (wish.output.suffix != ".parquet" or not wish.output.absolute().parent.is_dir()):
        raise InputError(f"-o {wish.output}: readings are written as .parquet into a folder that is there")
    if wish.options.told.zone:
        check_zone(wish.options.told.zone, "--zone")
    export = _asked(wish)
    belief = believed(export)
    written = _write(export, wish)
    if json:
        print(msgspec.json.encode({"belief": belief, "written": written}).decode())
        return
    print(in_words(belief))
    for path in written:
        print(f"written     {path}")


def _write(export: Export, wish: Import) -> list[str]:
    """Write the readings, and the profile unless it ships."""
    if wish.output is None:
        return []
    write_parquet(wish.output, kept_readings(export))
    keep = wish.profile_file or wish.output.with_suffix(".profile.toml")
    if export.profile_name and not wish.profile_file:
        return [str(wish.output)]
    part = keep.with_name(f"{keep.name}.part")
    part.write_text(profile_text(export.profile))
    part.replace(keep)
    return [str(wish.output), str(keep)]


def _asked(wish: Import) -> Export:
    """Read; what the files do not tell is asked at a terminal, and refused elsewhere."""
    options = wish.options
    while True:
        try:
            return read_exports(wish.files, options)
        except Unsaid as unsaid:
            if not sys.stdin.isatty() or not sys.stderr.isatty():
                raise
            said = {unsaid.option: _answer(unsaid)}
            options = replace(options, told=replace(options.told, **said))  # type: ignore[arg-type]


def _answer(unsaid: Unsaid) -> str | bool:
    """What somebody at the terminal says; asked until it is one of the choices."""
    choices = f" [{' / '.join(unsaid.choices)}]" if unsaid.choices else ""
    print(str(unsaid), file=sys.stderr)
    while True:
        answer = input(f"{unsaid.option}{choices}? ").strip()
        if answer and (not unsaid.choices or answer in unsaid.choices):
            return True if unsaid.option == "exchanged" else answer
