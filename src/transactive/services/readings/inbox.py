"""Files of readings that somebody brings to a community: looked at as often as wanted, and accepted once.

A file waits in the state folder until it is accepted or others have taken its place. Looking changes nothing else. What
is accepted has passed every check that a run makes, and counts from the next `run` on.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from transactive.config.setting import load_setting
from transactive.core.errors import DataError, InputError, StateError, Unsaid
from transactive.core.slots import DAY
from transactive.metering.exports.belief import Belief, believed
from transactive.metering.exports.kept import kept_readings
from transactive.metering.exports.profile import profile_text
from transactive.metering.exports.reader import Export, read_exports
from transactive.services.readings.days import DayTotals, day_totals
from transactive.services.readings.effect import Effect, compared
from transactive.services.readings.keeping import after_accepted, keep_accepted
from transactive.services.readings.limits import check_size
from transactive.services.readings.said import Said
from transactive.store import holds_state
from transactive.store.folder import hold

FOLDER, WAITING = "inbox", 8
"""Where files wait in a state folder, and how many of them."""
NOTE = "community.path"
"""File in a state folder that names its community file, where that does not stand beside it."""
LONGEST_NAME = 160
"""Bytes of a file's name; its end is kept, which says what the file is."""
SAME_NAME = "two of the files have the same name; rename one, or bring them one after the other"
TOKEN = re.compile(r"^[0-9a-f]{32}$")


class Question(msgspec.Struct, frozen=True):
    """What a file does not tell: the option that says it, one of the choices if there are any, and why it is asked."""

    option: str
    choices: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it is understood. question: what has to be said first; refused: why it cannot be accepted as it is."""

    token: str
    name: str
    belief: Belief | None = None
    days: DayTotals | None = None
    profile: str = ""
    effect: Effect | None = None
    question: Question | None = None
    refused: str = ""


def community_file(state: Path) -> Path | None:
    """The community file of a state folder: noted when its run began, or beside it under the same name."""
    note = state / NOTE
    path = Path(note.read_text()) if note.is_file() else state.with_suffix(".toml")
    return path if path.is_file() else None


def note_community(state: Path, community: Path) -> None:
    """Note in the state folder of a new run its community file, unless that stands beside it under the same name.

    Meters may be invited before the run begins, so the folder can be there already. Raises StateError.
    """
    if holds_state(state) or state.with_suffix(".toml").resolve() == community.resolve():
        return
    if state.exists() and not state.is_dir():
        raise StateError(f"{state}: is a file; give the place of a folder")
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / NOTE).write_text(str(community.resolve()))


@dataclass(frozen=True, slots=True)
class ReadingsInbox:
    """Files that came in for the community of a state folder. zone: in whose days they are shown."""

    state: Path
    zone: str = "UTC"

    @property
    def community(self) -> Path:
        """The community file. Raises StateError where nobody knows it."""
        path = community_file(self.state)
        if path is None:
            raise StateError(
                f"{self.state}: its community file is not known here; put the readings into the file that it names, and"
                " run it again"
            )
        return path

    def bring(self, files: Mapping[str, bytes], said: Said) -> Look:
        """Take files in and look at them as one.

        Raises InputError for those that are too large or of one name, or for options.
        """
        named = {_plain(name): data for name, data in files.items()}
        if len(named) < len(files):
            raise InputError(SAME_NAME)
        check_size(named)
        said.options()
        folder = self.state / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        token = _token(named)
        with hold(folder, patience=10):  # the same file may come twice at once
            if not (folder / token).is_dir():  # what waits may be read this moment, and the token tells what is in it
                self._put(named, token)
            os.utime(folder / token)
            self._tidy()
        return self.look(token, said)

    def _put(self, named: Mapping[str, bytes], token: str) -> None:
        """Write files into the folder of their token, all or none."""
        part, place = self.state / FOLDER / f".{token}", self.state / FOLDER / token
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        for name, data in named.items():
            (part / name).write_bytes(data)
        part.rename(place)

    def _tidy(self) -> None:
        """Take away the oldest of too many that wait, and what a process left that was killed a day ago or earlier."""
        folders = sorted((path.stat().st_mtime, path) for path in (self.state / FOLDER).iterdir() if path.is_dir())
        waiting = [path for _, path in folders if TOKEN.match(path.name)]
        left = [path for made, path in folders if path.name.startswith(".") and made < folders[-1][0] - DAY]
        for old in (*waiting[:-WAITING], *left):
            shutil.rmtree(old, ignore_errors=True)

    def look(self, token: str, said: Said) -> Look:
        """What is understood of files that wait, and what accepting them would do. Raises InputError."""
        files = self._waiting(token)
        name = files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
        try:
            export = read_exports(files, said.options())
        except Unsaid as unsaid:
            return Look(token, name, question=Question(unsaid.option, unsaid.choices, str(unsaid)))
        except DataError as error:
            return Look(token, name, refused=str(error))
        belief, days, text = believed(export), day_totals(export, self.zone), profile_text(export.profile)
        try:
            with self._candidate(export) as candidate:
                effect = self._effect(candidate)
        except (InputError, StateError) as error:
            return Look(token, name, belief, days, text, refused=str(error))
        return Look(token, name, belief, days, text, effect)

    def accept(self, token: str, said: Said, now: int) -> Effect:
        """Keep the readings of files, and their profile, for the community. now: [Unix s], by which they are ordered.

        Raises InputError, DataError or Unsaid as the reader and a run would, and nothing is written then.
        """
        export = read_exports(self._waiting(token), said.options())
        with hold(self.state / FOLDER, patience=10), self._candidate(export) as candidate:
            effect = self._effect(candidate)
            if not effect.added and not effect.changed:
                raise InputError(f"{export.name}: all of its readings are there already; nothing was changed")
            name = f"{after_accepted(self.community, now):011d}-{token[:8]}"
            keep_accepted(self.community, name, candidate, profile_text(export.profile))
        shutil.rmtree(self.state / FOLDER / token, ignore_errors=True)
        return effect

    def _waiting(self, token: str) -> list[Path]:
        """Files that wait under a token. Raises InputError."""
        place = self.state / FOLDER / token
        files = sorted(place.glob("*")) if TOKEN.match(token) else []
        if not files:
            raise InputError("these readings wait no longer; bring them again")
        return files

    @contextmanager
    def _candidate(self, export: Export) -> Iterator[Path]:
        """The readings of an export as they would be kept, in a file for as long as the block runs."""
        with TemporaryDirectory(dir=self.state / FOLDER, prefix=".") as folder:
            path = Path(folder) / f"{Path(export.name).stem}.parquet"
            kept_readings(export).write_parquet(path)
            yield path

    def _effect(self, candidate: Path) -> Effect:
        """What the community's readings would be with some more. Raises whatever a run would."""
        return compared(load_setting(self.community), load_setting(self.community, candidate=candidate))


def _token(named: Mapping[str, bytes]) -> str:
    """The token under which files wait: a digest of their names and contents, in any order."""
    digests = (name.encode() + b"\0" + hashlib.sha256(named[name]).digest() for name in sorted(named))
    return hashlib.sha256(b"".join(digests)).hexdigest()[:32]


def _plain(name: str) -> str:
    """A file's name without folders, and without what a file system or a message could trip over."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign.isalnum() or sign in " ._-+()")
    fits = kept.encode(errors="ignore")[-LONGEST_NAME:].decode(errors="ignore")  # file systems count bytes
    return fits.lstrip(".") or "readings"
