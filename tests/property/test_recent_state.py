"""What is kept of a state from block to block never changes it."""

from __future__ import annotations

from itertools import pairwise

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague.state import PragueState
from hypothesis import example, given
from hypothesis import strategies as st

from transactive.chain.embedded.recent_state import Recent, knowing

ACCOUNTS = [bytes([number]) * 20 for number in (1, 2)]
PLAIN = PragueState.get_account_db_class()
NEIGHBOURS = (247_476, 515_151)
"""Places whose hashes begin alike for so long that the trie has their words within one node, as anybody can find."""
words = st.tuples(
    st.sampled_from(ACCOUNTS), st.integers(0, 24) | st.sampled_from(NEIGHBOURS), st.integers(0, 3) | st.just(2**255 + 1)
)
blocks = st.lists(st.tuples(st.lists(words, max_size=12), st.booleans()), max_size=8)


@given(blocks)
@example([([(ACCOUNTS[0], place, 1) for place in NEIGHBOURS], False), ([(ACCOUNTS[0], NEIGHBOURS[0], 0)], False)])
def test_roots_and_words_are_those_of_a_state_that_knows_nothing(
    blocks: list[tuple[list[tuple[bytes, int, int]], bool]],
) -> None:
    recent, own, other = knowing(Recent(), PragueState).get_account_db_class(), AtomicDB(), AtomicDB()
    roots = [BLANK_ROOT_HASH]
    for written, is_undone in blocks:
        states = recent(own, roots[-1]), PLAIN(other, roots[-1])
        for account, place, word in written:
            before = [state.get_storage(account, place) for state in states]
            assert before[0] == before[1]
            for state in states:
                state.increment_nonce(account)
                state.set_storage(account, place, word)
        made = []
        for state in states:
            state.persist()
            made.append(state.state_root)
        assert made[0] == made[1]
        assert own.wrapped_db.kv_store == other.wrapped_db.kv_store
        if not is_undone:  # else the next block begins where this one did
            roots.append(made[0])
    for root, _ in pairwise([*roots, b""]):  # also states of before
        states = recent(own, root), PLAIN(other, root)
        for account in ACCOUNTS:
            assert [states[0].get_storage(account, place) for place in (*range(25), *NEIGHBOURS)] == [
                states[1].get_storage(account, place) for place in (*range(25), *NEIGHBOURS)
            ]
