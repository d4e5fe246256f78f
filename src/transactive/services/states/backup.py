"""Copies of a state folder: made while a run goes on, put back whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path

import msgspec

from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.core.errors import InputError, StateError, UnreadableState
from transactive.core.slots import time_text
from transactive.engine.books.rebuilt import community_of
from transactive.engine.models.model_files import FOLDER as MODELS
from transactive.services.bills.parties import FILE as PARTIES
from transactive.services.credit_publication import CREDITS_CHAIN
from transactive.services.credit_publication import OUTBOX as CREDITS_OUTBOX
from transactive.services.governing.kept import FOLDER as CONSEQUENCES
from transactive.services.privacy.erasures import FILE as ERASED
from transactive.services.privacy.erasures import Erased, read_erased, write_erased
from transactive.store import FILE, Store, database_of, holds_state
from transactive.store.bills import FILE as BILLS
from transactive.store.bills import HEAD_FILE as PAPERS_HEAD
from transactive.store.bills import BillBooks
from transactive.store.copies import copy_rows, held_still
from transactive.store.databases.place import is_pointer
from transactive.store.files import copy_together
from transactive.store.folder import OWNER_FOLDER, hold
from transactive.store.live.journal import JOURNAL_FILE
from transactive.store.live.leaves import LEAVES_FILE
from transactive.store.protocols.openadr import OPENADR_FILE
from transactive.store.protocols.refusals import REFUSALS_FILE
from transactive.store.read.stages import last_delivered

MANIFEST = "backup.json"
DATABASES = (
    *(FILE, CHAIN_FILE, "outbox.sqlite", CREDITS_CHAIN, CREDITS_OUTBOX, BILLS, JOURNAL_FILE, LEAVES_FILE),
    OPENADR_FILE,
)
"""In the order in which they are held: a slot is in the run's database before it is on chain.

What arrives is in the journal before it counts, so the journal is held last: it may be ahead, and never behind.
"""
ENTRY = (
    "accounts.json", "tokens.json", "invitations.json", "grid-privacy.json", "openadr-clients.json",
    "energytag-clients.json", "energytag-peers.json",
)  # fmt: skip
"""Who may come in, and what a grid token sees: a restore never brings back what was revoked since."""
LOGS = ("looks.jsonl", "assistants.jsonl", "assistants-before.jsonl", "decisions.jsonl", "notices.json", REFUSALS_FILE)
"""Who looked, what programs did, what members signed, where people want to be told, what was refused to other
registries: a restore forgets nothing since."""
LEFT_OUT = (".lock", ".database", ".sqlite-wal", ".sqlite-shm", ".sqlite", ".part", ".before-move")
TRIES = 20


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. files: SHA-256 by name, 0x-less hex. last_slot: the newest delivered one, as text."""

    files: dict[str, str]
    last_slot: str | None


def back_up(folder: Path, target: Path) -> Manifest:
    """Copy a state folder to a new folder, also while a run goes on; nothing is there until it is whole.

    Raises StateError for a folder without a run, or where the copy cannot be written; InputError if `target` exists.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    if target.exists():
        raise InputError(f"{target}: is there already; give a new place for the backup")
    partial = target.with_name(f".{target.name}.part")
    try:
        for _ in range(TRIES):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(mode=OWNER_FOLDER, parents=True)
            if (folder / ERASED).is_file():  # first: who is erased meanwhile is erased again as it is put back
                shutil.copy2(folder / ERASED, partial / ERASED)
            with _copied_from_server(folder, partial):
                copy_together(list(_databases(folder)), partial)
            last, level = _last_slot(partial)
            if level:
                break
        else:
            raise StateError(f"{folder}: its run goes on too quickly to be copied; try again")
        for name in _others(folder):
            (partial / name).parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            shutil.copy2(folder / name, partial / name)
        names = sorted(str(path.relative_to(partial)) for path in partial.rglob("*") if path.is_file())
        manifest = Manifest({name: _digest(partial / name) for name in names}, last)
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        _sync(partial)
        partial.rename(target)
    except OSError as error:
        raise StateError(f"{target}: cannot be written ({error.strerror}); free space or permissions") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


@contextmanager
def _copied_from_server(folder: Path, partial: Path) -> Iterator[None]:
    """Copy a state on a server into a file, as it is before the files of the folder are copied inside."""
    database = database_of(folder)
    if not is_pointer(database):
        yield
        return
    with closing(Store(folder)) as store, held_still(store.engine) as read:
        yield
        copy_rows(read, partial / FILE)


def _last_slot(folder: Path) -> tuple[str | None, bool]:
    """Newest delivered slot of a copy, as text, and whether its chain has none beyond it."""
    from transactive.chain.embedded.copies import indexed_in_logs
    from transactive.chain.history import topics_of

    with closing(Store(folder)) as store:
        last = last_delivered(store)
        if last is None:
            return None, True
        number = community_of(store).clock.number(last)
    chain = folder / CHAIN_FILE
    committed = indexed_in_logs(chain, *topics_of("commitSlot")) if chain.is_file() else []
    return time_text(last), max(committed, default=0) <= number


def _databases(folder: Path) -> Iterator[Path]:
    """Databases of a state that are files; one beside a pointer was left by an interrupted move."""
    left = FILE if is_pointer(database_of(folder)) else None
    yield from (folder / name for name in DATABASES if name != left and (folder / name).is_file())


def _others(folder: Path) -> Iterable[str]:
    """Names of the files of a state that are not databases; each is written whole, so it is copied as it is."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    left_out = (
        path.name in (PAPERS_HEAD, ERASED) or path.name.startswith(".") or path.suffix in LEFT_OUT for path in files
    )
    yield from (path.name for path, out in zip(files, left_out, strict=True) if not out)
    yield from (f"{MODELS}/{path.name}" for path in sorted((folder / MODELS).glob("*.json")))
    kept = sorted(path.relative_to(folder) for path in (folder / CONSEQUENCES).rglob("*.json"))
    yield from (str(path) for path in kept if not any(part.startswith(".") for part in path.parts))


def put_back(
    backup: Path, folder: Path, erase: Callable[[Path, Sequence[Erased]], None], record: Path | None = None
) -> tuple[Manifest, Path | None]:
    """Put a backup in the place of a state folder; what was there is kept beside it.

    Who may come in stays as it is now, where the folder is there: nobody gets back in who was sent away since. So do
    logs of what people did. Who was erased since is erased in the copy before it opens: erase does so; record: of
    erasures, beside that of the folder, which may be lost.
    Returns what the backup holds, and where the earlier folder is now. Raises InputError for a backup that is not as it
    was written, StateError where another process is on the folder; then nothing is changed.
    """
    manifest = _checked(backup)
    staged = folder.with_name(f".{folder.name}.restoring")
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=OWNER_FOLDER, parents=True)
        for name in manifest.files:
            (staged / name).parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            shutil.copy2(backup / name, staged / name)
        with hold(folder) if folder.exists() else nullcontext():
            known, then = set(read_erased(folder / ERASED)), set(read_erased(staged / ERASED))
            told = set(read_erased(record)) if record else set()
            erase(staged, sorted((known | told) - then))
            write_erased(staged, known | told | then)
            _keep_papers(folder, staged)
            for name in ENTRY if holds_state(folder) else ():
                (staged / name).unlink(missing_ok=True)  # also who was sent away by deleting the file
            for name in (*ENTRY, *LOGS):
                if (folder / name).is_file():
                    shutil.copy2(folder / name, staged / name)
            if late := sorted(told - known):  # what came from the folder may name them, too
                erase(staged, late)
            _sync(staged)
            kept = _free_name(folder) if folder.exists() else None
            if kept:
                folder.rename(kept)
            staged.rename(folder)
    except OSError as error:
        raise StateError(f"{folder}: cannot be written ({error.strerror}); free space or permissions") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return manifest, kept


def _keep_papers(folder: Path, staged: Path) -> None:
    """Keep the papers that were issued since the backup was made: their numbers are given, and people hold them."""
    if not (folder / BILLS).is_file():
        return
    with closing(BillBooks(staged)) as books:
        issued = len(books.papers())
    with suppress(UnreadableState):
        with closing(BillBooks(folder)) as books:
            if len(books.papers()) < issued:
                return
        for path in staged.glob(f"{BILLS}*"):
            path.unlink()
        copy_together([folder / BILLS], staged)
        if (folder / PAPERS_HEAD).is_file():
            shutil.copy2(folder / PAPERS_HEAD, staged / PAPERS_HEAD)
        if (folder / PARTIES).is_file():
            shutil.copy2(folder / PARTIES, staged / PARTIES)


def _checked(backup: Path) -> Manifest:
    """What a backup holds, once each file is as it was written. Raises InputError."""
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
        for name, digest in manifest.files.items():
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise InputError(f"{backup}: {MANIFEST} names {name}, which is not in it; take another backup")
            if _digest(backup / name) != digest:
                raise InputError(f"{backup}: {name} is not as it was written; take another backup")
    except OSError as error:
        raise InputError(f"{backup}: is no whole backup ({error}); `state backup` makes one") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{backup}: {MANIFEST}: {error}; `state backup` makes one") from None
    return manifest


def _free_name(folder: Path) -> Path:
    """A name beside a folder that nothing has."""
    number = 1
    while (kept := folder.with_name(f"{folder.name}.before-{number}")).exists():
        number += 1
    return kept


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Bring a folder and all in it to the disk."""
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
