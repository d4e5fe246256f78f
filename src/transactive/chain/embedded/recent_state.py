"""What is known of a state already: words of storage and nodes of its tries, kept from one block to the next.

py-evm begins each block with nothing at hand: it walks the trie for each word, and decodes, encodes and hashes the same
nodes again. All that is kept here lies under a hash, of a trie's root or of a node, so it holds for any block, also for
one that is undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from eth.abc import AccountStorageDatabaseAPI, AtomicDatabaseAPI, DatabaseAPI, StateAPI
from eth.constants import BLANK_ROOT_HASH
from eth.db.accesslog import KeyAccessLoggerDB
from eth.db.account import AccountDB
from eth.db.cache import CacheDB
from eth.db.hash_trie import HashTrie
from eth.db.journal import JournalDB
from eth.db.storage import AccountStorageDB, StorageLookup
from eth_typing import Address, Hash32
from trie.hexary import HexaryTrie
from trie.utils.nibbles import bytes_to_nibbles

MOST_NODES, MOST_WORDS = 8_192, 1 << 18
"""Entries at hand, some megabytes each; beyond, they are gathered anew."""

HASH_BYTES = 32
BRANCH = 17
"""Parts of a node that branches: one for each nibble that may follow, and a value."""
Nibbles = tuple[int, ...]
Node = Any
"""Of a trie: blank, or a list of bytes and, where one is very short, of lists."""


class Recent:
    """Nodes by hash and by content, and of each account the words under one root of its storage."""

    def __init__(self) -> None:
        self.decoded: dict[bytes, list[Any]] = {}
        self.encoded: dict[tuple[Any, ...], tuple[bytes, bytes | None]] = {}
        self.trie: type[RecentTrie] = type("TrieOfRecent", (RecentTrie,), {"recent": self})
        self._words: dict[Address, tuple[Hash32, dict[bytes, bytes]]] = {}

    def words(self, account: Address, root: Hash32) -> dict[bytes, bytes]:
        """Known words of an account under this root, to be added to."""
        of_root, words = self._words.get(account, (None, {}))
        if of_root != root or len(words) > MOST_WORDS:
            words = {}
            self._words[account] = (root, words)
        return words

    def move(self, account: Address, before: Hash32, after: Hash32, changed: dict[bytes, bytes]) -> None:
        """Go on from one root to the next, which differs by these words."""
        words = self.words(account, before)
        words.update(changed)
        self._words[account] = (after, words)


class RecentTrie(HexaryTrie):
    """A trie that decodes and hashes a node once; the library makes more of a trie's own class, so that names them."""

    recent: ClassVar[Recent]

    def get_node(self, node_hash: Node) -> Node:
        """Node by hash, the caller's own to change; one that is very short stands in place of its hash."""
        known, is_hash = self.recent.decoded, isinstance(node_hash, bytes) and len(node_hash) == HASH_BYTES
        if not is_hash or (node := known.get(node_hash)) is None:
            node = super().get_node(node_hash)  # type: ignore[no-untyped-call]
            if not is_hash or not _is_flat(node):
                return node
            if len(known) > MOST_NODES:
                known.clear()
            known[node_hash] = node
        return list(node)

    def set_many(self, items: Mapping[bytes, bytes]) -> None:
        """Set values that are not empty, as `set` does one by one, and make a node above several of them once.

        Raises MissingTrieNode where a node is not there.
        """
        below = [(bytes_to_nibbles(key), value) for key, value in items.items()]
        with self._prune_on_success():
            try:
                root = self._with(self.get_node(self.root_hash), below)
            except KeyError as error:
                self._raise_missing_node(error, next(iter(items)))  # type: ignore[no-untyped-call]
            self._set_root_node(root)  # type: ignore[no-untyped-call]

    def _with(self, node: Node, items: Sequence[tuple[Nibbles, bytes]]) -> Node:
        """A node, not yet written, with these values under the keys below it."""
        while len(items) > 1 and len(node) != BRANCH:  # until the first values have made a branch of it
            node = self._set(node, *items[0])  # type: ignore[no-untyped-call]
            self._persist_node(node)  # type: ignore[no-untyped-call]
            items = items[1:]
        if len(items) == 1:
            return self._set(node, *items[0])  # type: ignore[no-untyped-call]
        self._prune_node(node)  # type: ignore[no-untyped-call]
        under: dict[int, list[tuple[Nibbles, bytes]]] = {}
        for (first, *rest), value in items:
            under.setdefault(first, []).append((tuple(rest), value))
        for place, below in under.items():
            node[place] = self._persist_node(self._with(self.get_node(node[place]), below))  # type: ignore[no-untyped-call]
        return node

    def _node_to_db_mapping(self, node: Node) -> tuple[Node, bytes | None]:
        """Hash and encoding of a node, or itself where it is very short."""
        if not _is_flat(node):
            return super()._node_to_db_mapping(node)  # type: ignore[no-untyped-call, no-any-return]
        known, content = self.recent.encoded, tuple(node)
        if (mapping := known.get(content)) is None:
            mapping = self._create_node_to_db_mapping(node)  # type: ignore[no-untyped-call]
            if mapping[1] is None:
                return super()._node_to_db_mapping(node)  # type: ignore[no-untyped-call, no-any-return]
            if len(known) > MOST_NODES:
                known.clear()
                self.recent.decoded.clear()
            known[content] = mapping
            self.recent.decoded[mapping[0]] = list(content)
        return mapping


def _is_flat(node: Node) -> bool:
    """Whether a node has bytes alone, and no shorter node within."""
    return isinstance(node, list) and set(map(type, node)) == {bytes}


class RecentStorage(StorageLookup):  # type: ignore[misc]
    """Words of one account, found without a walk where they were read or written before."""

    def __init__(self, recent: Recent, db: DatabaseAPI, storage_root: Hash32, address: Address) -> None:
        super().__init__(db, storage_root, address)
        self._recent = recent
        self._write_trie: RecentTrie | None
        self._changed: dict[bytes, bytes] = {}
        self._waiting: dict[bytes, bytes] = {}
        self._followed = True

    def _put(self) -> None:
        """Set in the trie what waits, all at once."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self._get_write_trie().set_many(waiting)

    def _get_read_trie(self) -> HexaryTrie:
        self._put()
        written = self._write_trie
        return self._recent.trie(self._db, self._starting_root_hash) if written is None else written

    def _get_write_trie(self) -> RecentTrie:
        if self._write_trie is None:
            super()._get_write_trie()  # makes the batch too
            self._write_trie = self._recent.trie(self._trie_nodes_batch, self._starting_root_hash, prune=True)
        return self._write_trie

    def __getitem__(self, key: bytes) -> bytes:
        is_as_before = self._write_trie is None and not self._waiting
        known = self._recent.words(self._address, self._starting_root_hash) if is_as_before else {}
        if (word := known.get(key)) is None:
            word = known[key] = super().__getitem__(key)
        return word

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._waiting[self._decode_key(key)] = value
        self._changed[key] = value

    @property
    def has_changed_root(self) -> bool:
        """Whether anything was written."""
        return bool(self._waiting) or self._write_trie is not None

    def get_changed_root(self) -> Hash32:
        """Root with all that was written."""
        self._put()
        root: Hash32 = super().get_changed_root()
        return root

    def __delitem__(self, key: bytes) -> None:
        self._put()
        super().__delitem__(key)
        self._changed[key] = b""

    def new_trie(self) -> int:
        """Begin an empty storage, as where an account is deleted; what changed is not followed any further."""
        self._put()
        self._followed = False
        made: int = super().new_trie()
        return made

    def rollback_trie(self, trie_index: int) -> None:
        """Go back to the storage before it was begun anew."""
        self._waiting.clear()
        super().rollback_trie(trie_index)

    def commit_to(self, db: DatabaseAPI) -> None:
        """Write what changed, and know it from now on."""
        self._put()
        before = self._starting_root_hash
        super().commit_to(db)
        if self._followed:
            self._recent.move(self._address, before, self._starting_root_hash, self._changed)
        self._changed, self._followed = {}, True


class RecentStorageOfAccount(AccountStorageDB):  # type: ignore[misc]
    """Storage of an account as py-evm layers it, over known words."""

    def __init__(self, recent: Recent, db: AtomicDatabaseAPI, storage_root: Hash32, address: Address) -> None:
        super().__init__(db, storage_root, address)
        self._storage_lookup = RecentStorage(recent, db, storage_root, address)
        self._storage_cache = CacheDB(self._storage_lookup)
        self._locked_changes = JournalDB(self._storage_cache)
        self._journal_storage = JournalDB(self._locked_changes)


def knowing(recent: Recent, state: type[StateAPI]) -> type[StateAPI]:
    """A state like this one, that looks first at what is known."""

    class RecentAccounts(AccountDB):  # type: ignore[misc]
        """Accounts, each with its storage."""

        def __init__(self, db: AtomicDatabaseAPI, state_root: Hash32 = BLANK_ROOT_HASH) -> None:
            super().__init__(db, state_root)
            self._trie = HashTrie(recent.trie(self._batchtrie, state_root, prune=True))
            self._trie_logger = KeyAccessLoggerDB(self._trie, log_missing_keys=False)
            self._trie_cache = CacheDB(self._trie_logger)
            self._journaltrie = JournalDB(self._trie_cache)

        def _get_address_store(self, address: Address) -> AccountStorageDatabaseAPI:
            if address not in self._account_stores:
                root = self._get_storage_root(address)
                self._account_stores[address] = RecentStorageOfAccount(recent, self._raw_store_db, root, address)
            return self._account_stores[address]

    made: type[StateAPI] = state.configure(account_db_class=RecentAccounts)
    return made
