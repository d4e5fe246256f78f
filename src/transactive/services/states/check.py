"""Whether a state folder is as it was written: its files one by one, then database and chain against each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.core.errors import StateError, TransactiveError
from transactive.core.slots import parse_time
from transactive.engine.accounts.moving import accounts_of
from transactive.engine.books.rebuilt import community_of
from transactive.engine.models.model_files import FOLDER as MODELS
from transactive.engine.replay import Outcome
from transactive.store import Store, database_of, holds_state
from transactive.store.bills import FILE as BILLS
from transactive.store.bills import HEAD_FILE as PAPERS_HEAD
from transactive.store.bills import BillBooks
from transactive.store.databases.place import is_pointer
from transactive.store.folder import hold
from transactive.store.soundness import Damage, broken_rows, broken_structure

Tell = Callable[[str], None]


def check_state(folder: Path, tell: Tell = lambda _: None) -> list[Damage]:
    """Everything that is not as it was written in a state folder; empty if it is sound.

    tell: hears how far it is. Raises StateError for a folder without a run, or with another process on it.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    with hold(folder):
        with suppress(StateError):  # one that is damaged: what and where is said below
            Store(folder).close()  # an older version is moved up
        found = list(broken_files(folder, tell))
        return found or list(_disagreements(folder, tell))


def broken_files(folder: Path, tell: Tell) -> Iterator[Damage]:
    """Damage in the files of a folder, each by itself."""
    whole = set()
    for path in sorted(folder.glob("*.sqlite")):
        tell(path.name)
        found = list(broken_structure(path))
        yield from found
        whole |= set() if found else {path.name}
    database = database_of(folder)
    if database.name in whole or is_pointer(database):
        yield from broken_rows(database, tell)
    if BILLS in whole:
        yield from _broken_papers(folder)
    elif (folder / PAPERS_HEAD).is_file() and not (folder / BILLS).exists():
        yield Damage(BILLS, "papers", "is gone, and papers were issued")
    if CHAIN_FILE in whole:
        yield from _broken_chain(folder / CHAIN_FILE, tell)
    for path in sorted((folder / MODELS).glob("*.json")):
        if hashlib.sha256(path.read_bytes()).hexdigest()[:12] != path.stem.rpartition("-")[2]:
            yield Damage(f"{MODELS}/{path.name}", "model", "is not what its name says")


def _broken_papers(folder: Path) -> Iterator[Damage]:
    """Papers that are not as they were issued, or not all that were."""
    try:
        with closing(BillBooks(folder)) as books:
            books.papers()
    except StateError as error:
        yield Damage(BILLS, "papers", str(error))


def _broken_chain(path: Path, tell: Tell) -> Iterator[Damage]:
    """Damage in the chain's file."""
    from transactive.chain.embedded.soundness import broken_chain

    with TemporaryDirectory(dir=path.parent, prefix="check-") as scratch:
        told = broken_chain(path, Path(scratch) / CHAIN_FILE, lambda number: tell(f"{path.name}: block {number}"))
        for table, text in told:
            yield Damage(path.name, table, text)


def _disagreements(folder: Path, tell: Tell) -> Iterator[Damage]:
    """What the chain in the folder has otherwise than the database, though both are as they were written."""
    from transactive.chain.keys.keys import DemoKeys
    from transactive.engine.accounts.chain_standing import FolderChain

    with closing(Store(folder)) as store:
        facts = json.loads(store.setting("run") or "{}")
        if facts.get("node") or not store.snapshot():
            return
        keys, first = DemoKeys(facts["seed"]), parse_time(facts["first slot"])
        place = FolderChain(folder / CHAIN_FILE, store, accounts_of(store, community_of(store)), keys, first)
        try:
            place.require_same(_head(store), tell)
        except TransactiveError as error:
            yield Damage(CHAIN_FILE, "block", str(error))


def _head(store: Store) -> tuple[int, str] | None:
    """Last block and state hash of a finished run."""
    text = store.setting("outcome")
    summary = msgspec.json.decode(text, type=Outcome).summary if text else None
    return (summary.chain.height, summary.state_hash) if summary and summary.chain else None


def damage_behind(folders: tuple[Path, ...]) -> str | None:
    """First damage in the files of these folders, in words, for an error that may come from it; None without any."""
    for folder in folders:
        with suppress(StateError):
            for found in broken_files(folder, lambda _: None):
                return f"{folder}: {found}; `transactive state restore` puts a backup in its place"
    return None
