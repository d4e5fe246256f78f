"""Members who keep the keys of their accounts themselves: told before a market opens, in its journal."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec

from transactive.core.errors import StateError
from transactive.engine.chain_location import ChainLocation
from transactive.store.folder import hold
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal, JournalReader, OwnAccount


def accounts_in(journal: JournalReader) -> dict[int, str]:
    """Address of each such account by its member, the last one told."""
    told = (msgspec.json.decode(each.body, type=OwnAccount) for each in journal.of_kinds((ArrivalKind.ACCOUNT,), 0))
    return {each.member: each.address for each in told}


def add_account(folder: Path, member: int, address: str, now: int) -> None:
    """Let a member keep its key: its account is this address. Raises StateError once the market was opened.

    A market registers accounts on chain as it opens, and pays in for them.
    """
    with hold(folder), closing(Journal(folder / JOURNAL_FILE)) as journal:
        opened = journal.of_kinds((ArrivalKind.GATE, ArrivalKind.VOID), 0)
        if accounts_in(journal).get(member) == address:
            return
        if opened:
            raise StateError(f"{folder}: this market is open, its accounts are registered; use another --state folder")
        own = msgspec.json.encode(OwnAccount(member, address))
        journal.append(max(now, journal.received), ArrivalKind.ACCOUNT, [own])


def with_own_accounts(target: ChainLocation, journal: JournalReader, seed: str) -> ChainLocation:
    """A chain on which these members' accounts are their own, whoever else has the other keys."""
    own = accounts_in(journal)
    if not own:
        return target
    from transactive.chain.keys.keys import DemoKeys, MembersOwnKeys

    return replace(target, keys=MembersOwnKeys(target.keys or DemoKeys(seed), own))
