"""The chain in a state folder stands where the database says, or is brought there; otherwise the run stops.

A chain can be older than its database: a write-ahead log was lost, or the file comes from an older copy. What the
operator had put on it follows from the database alone, and blocks hold nothing that varies. So all steps are taken
again on a copy. Only if each block comes out with the hash that the database noted is the chain itself carried on.
Nothing of anybody else can have been in between then: one more transaction would have made all later blocks others.
Where accounts moved to other contracts meanwhile, they move again.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import EMBEDDED
from transactive.core.community.community import Community
from transactive.core.errors import ChainError, RuleBroken, StateError
from transactive.core.slots import time_text
from transactive.engine.accounts.steps_again import OPENING, StepsAgain
from transactive.engine.books.commitments import RESTORE
from transactive.engine.books.rebuilt import at_the_time
from transactive.store import Store, files
from transactive.store.read.stages import RecordedBlock, ended_slots, recorded_blocks

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys
    from transactive.chain.nodes.client import ChainClient


@dataclass(frozen=True)
class FolderChain:
    """The embedded chain of a run, and what its blocks are made of. path: its file; first_slot: of the run [Unix s]."""

    path: Path
    store: Store
    community: Community
    keys: Keys
    first_slot: int

    @property
    def opening(self) -> int:
        """Time of the block that deploys [Unix s]."""
        return self.community.clock.gate(self.first_slot) - OPENING

    @cached_property
    def recorded(self) -> list[RecordedBlock]:
        """Blocks that the database noted, oldest first, in whichever contracts."""
        return recorded_blocks(self.store)

    def open(self, path: Path) -> ChainClient:
        """Client of the chain in a file, which is begun if there is none."""
        from transactive.chain.nodes.client import ChainClient

        begun = at_the_time(self.store, self.community, self.first_slot)[0]  # who joined since was paid its coins
        accounts = self.keys.addresses(begun.chart.on_chain)
        return ChainClient.open(f"{EMBEDDED}{path}", genesis_time=self.opening - 1, alloc=accounts)

    def bring_level(self, head: tuple[int, str] | None = None) -> None:
        """Put on chain again, from the database, what the chain lacks of it; says so on stderr.

        head: number of the last block of a finished run, and the run's state hash. Raises StateError, and changes
        nothing, where the chain has another block than the database noted, or one cannot be made again as it was.
        """
        missing = self._missing()
        lacks_end = head is not None and not self._ends_with(*head)
        if not missing and not lacks_end and not self._lacks_move():
            return
        with self._rehearsal() as copy:
            try:
                self._take_steps_again(copy, head)
            except (ChainError, RuleBroken) as error:
                raise StateError(
                    f"{self._lacks(missing)}, and they do not follow from it ({error}): a transaction of somebody else"
                    f" was there, or the database was altered; nothing was changed; {RESTORE}"
                ) from error
            self._carry_on(copy)
        print(f"transactive: {self._lacks(missing)}; put there again, each block as it was", file=sys.stderr)

    def require_same(self, head: tuple[int, str] | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        """Compare all that was committed with the database: blocks, leaves of each slot, balances.

        head: as `bring_level` takes it; tell: hears how far it is. Nothing is changed. Raises StateError, ChainError or
        RuleBroken that names the first difference.
        """
        missing = self._missing()
        if missing or self._lacks_move() or (head is not None and not self._ends_with(*head)):
            raise StateError(f"{self._lacks(missing)}; the next `run` puts it there again, if it follows from that")
        with self._rehearsal() as copy:
            self._take_steps_again(copy, head, tell, compare=True)

    def _missing(self) -> Sequence[RecordedBlock]:
        """Noted blocks that the chain does not have. Raises StateError if it has another one in a place."""
        from transactive.chain.embedded.copies import block_hash_at

        if not self.path.exists():
            return self.recorded
        for place in range(len(self.recorded) - 1, -1, -1):
            noted = self.recorded[place]
            found = block_hash_at(self.path, noted.number)
            if found == noted.hash:
                return self.recorded[place + 1 :]
            if found is not None:
                raise StateError(
                    f"{self.path}: block {noted.number} is another than the one that committed"
                    f" {time_text(noted.slot)}; nothing was changed; {RESTORE}"
                )
        return self.recorded

    def _ends_with(self, number: int, state_hash: str) -> bool:
        """Whether the chain has the last block of a finished run. Raises StateError if it has another."""
        from transactive.chain.embedded.copies import block_hash_at

        found = block_hash_at(self.path, number) if self.path.exists() else None
        if found is not None and self._state_hash(found) != state_hash:
            raise StateError(
                f"{self.path.parent}: database and chain do not end as the summary of this finished run says; nothing"
                f" was changed; {RESTORE}"
            )
        return found is not None

    def _lacks_move(self) -> bool:
        """Whether the chain ends before the block in which accounts moved to other contracts."""
        from transactive.chain.embedded.copies import block_hash_at

        moved = max((roster.block for roster in self.store.rosters), default=0)
        return moved > 0 and (not self.path.exists() or block_hash_at(self.path, moved) is None)

    def _state_hash(self, block: bytes) -> str:
        """State hash of the run if it ended with this block."""
        from transactive.engine.books.snapshot import digest_in

        data = self.store.snapshot()
        return hashlib.sha256(digest_in(data) + block).hexdigest() if data else ""

    @contextmanager
    def _rehearsal(self) -> Iterator[Path]:
        """A copy of the chain beside it, for as long as the block runs; an empty place if there is no chain."""
        copy = self.path.with_name(f"{self.path.stem}-rehearsal{self.path.suffix}")
        try:
            self._remove(copy)
            if self.path.exists():
                files.copy(self.path, copy)
            yield copy
        finally:
            self._remove(copy)

    @staticmethod
    def _remove(file: Path) -> None:
        for ending in ("", "-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)

    def _take_steps_again(
        self,
        copy: Path,
        head: tuple[int, str] | None,
        tell: Callable[[str], None] = lambda _: None,
        *,
        compare: bool = False,
    ) -> None:
        """Walk through all noted slots on the copy: what is there is found, what is not is made again.

        compare: also the leaves of slots that are there, and the balances after the last.
        """
        ended = ended_slots(self.store)
        with closing(self.open(copy)) as client:
            walk = StepsAgain(client, self.store, self.community, self.keys, self.first_slot)
            for count, noted in enumerate(self.recorded, 1):
                tell(f"{self.path.name}: slot {count} of {len(self.recorded)}")
                block, is_last = walk.commit(noted.slot, compare=compare), count == len(self.recorded)
                if block is None or block.hash != noted.hash:
                    raise ChainError(f"block {noted.number} of {time_text(noted.slot)} came out otherwise")
                if head is not None and is_last:
                    block = walk.finish(noted.slot)
                    if block is None or self._state_hash(block.hash) != head[1]:
                        raise ChainError(f"block {head[0]}, the last one, came out otherwise")
                if not walk.move(noted.slot) and noted.slot in ended:
                    walk.go_on(noted.slot)
            if head is None and compare:
                walk.check()

    def _carry_on(self, copy: Path) -> None:
        """Put the blocks of the copy on the chain itself."""
        from transactive.chain.embedded.chain import EmbeddedChain
        from transactive.chain.embedded.copies import append_blocks

        self.open(self.path).close()  # begins it if there is none
        with closing(EmbeddedChain(copy)) as made, closing(EmbeddedChain(self.path)) as chain:
            append_blocks(made, chain)

    def _lacks(self, missing: Sequence[RecordedBlock]) -> str:
        """What the chain lacks, in words."""
        if not missing:
            return f"{self.path}: lacks the last blocks of its run"
        first, last = missing[0], missing[-1]
        slots = time_text(first.slot) if first == last else f"{time_text(first.slot)} to {time_text(last.slot)}"
        blocks = f"block {first.number}" if first == last else f"blocks {first.number} to {last.number}"
        count = "a slot" if first == last else f"{len(missing)} slots"
        return f"{self.path}: lacks {count} that the database has ({slots}, {blocks})"
