"""Lines of consequences: bound by a root, adding up, and no spread that tells somebody's own figure."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.config.community_file import load
from transactive.config.shipped import EXAMPLE
from transactive.core.errors import InputError
from transactive.core.governance.consequences import (
    FEWEST,
    Document,
    OwnLine,
    ReplayedBills,
    check_line,
    own_line,
    spread,
    tree_of,
)
from transactive.core.governance.decided import Decided
from transactive.core.governance.numbers import BY_NAME
from transactive.core.slots import DAY, parse_time
from transactive.studies.consequences import _today

BILLS = st.integers(-(10**14), 10**14)
SECRET = b"tests"


def document(lines: list[ReplayedBills]) -> Document:
    tree = tree_of(lines, SECRET)
    named = ("today", "held", "planned")
    return Document(
        community="c", currency="EUR", change={}, first_slot="2026-06-05T00:00Z", slot_minutes=60, slots=24,
        program="", forecaster="", inputs={}, members=len(lines), root=tree.root.hex(), depth=tree.depth,
        totals_n={name: str(sum(getattr(line, f"{name}_n") for line in lines)) for name in named},
        held=spread(lines, {}, "held"), planned=spread(lines, {}, "planned"),
    )  # fmt: skip


def owned(lines: list[ReplayedBills], index: int) -> OwnLine:
    return own_line(lines, SECRET, tree_of(lines, SECRET), "ada", index)


@given(st.lists(st.tuples(BILLS, BILLS, BILLS), min_size=1, max_size=20), st.data())
def test_a_line_is_bound_and_a_changed_one_is_not(bills, data):
    lines = [ReplayedBills(index, *three) for index, three in enumerate(bills)]
    bound, index = document(lines), data.draw(st.integers(0, len(lines) - 1))
    own = owned(lines, index)
    check_line(own, bound)
    for key in ("today_n", "held_n", "planned_n"):
        wrong = msgspec.structs.replace(own, **{key: str(int(getattr(own, key)) + 1)})
        with pytest.raises(InputError, match="none of those that the proposal binds"):
            check_line(wrong, bound)
    totals = bound.totals_n | {"held": str(int(bound.totals_n["held"]) - 1)}
    with pytest.raises(InputError, match="do not add up"):
        check_line(own, msgspec.structs.replace(bound, totals_n=totals))


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_n": "-1"},
        {"total_n": "x"},
        {"groups_n": {"others": "0"}},
        {"losers": 0},
        {"largest_loss_n": "49"},
        {"quartiles_n": ("0", "10", "20", "30", "49")},
    ],
)
def test_a_spread_that_contradicts_a_line_is_shown_to_be_wrong(wrong):
    lines = [ReplayedBills(index, 0, 10 * index, 0) for index in range(6)]
    bound, own = document(lines), owned(lines, 5)
    check_line(own, bound)
    with pytest.raises(InputError, match="spread of the proposal contradicts"):
        check_line(own, msgspec.structs.replace(bound, held=msgspec.structs.replace(bound.held, **wrong)))


@pytest.mark.parametrize(
    "wrong",
    [{"salt": "zz"}, {"today_n": "x"}, {"proof": (("zz", "0x1", "0x2"),)}, {"proof": (("00", "-0x1", "0x2"),)}],
)
def test_a_line_that_is_no_number_is_refused_in_words(wrong):
    lines = [ReplayedBills(index, 0, 10 * index, 0) for index in range(6)]
    with pytest.raises(InputError, match="ask who made it"):
        check_line(msgspec.structs.replace(owned(lines, 5), **wrong), document(lines))


def test_equal_lines_have_different_leaves():
    lines = [ReplayedBills(0, 5, 5, 5), ReplayedBills(1, 5, 5, 5)]
    tree = tree_of(lines, SECRET)
    assert tree.node(0, 0)[0] != tree.node(0, 1)[0]
    assert tree_of(lines, b"other").root != tree.root


def test_of_few_members_no_figure_is_told():
    few = [ReplayedBills(index, 0, 10 * index, 0) for index in range(FEWEST - 1)]
    found = spread(few, {}, "held")
    assert (found.quartiles_n, found.largest_loss_n, found.losers) == (None, None, 3)
    more = spread([*few, ReplayedBills(4, 0, -7, 0)], {}, "held")
    assert (more.quartiles_n, more.largest_loss_n) == (None, "30")  # five quartiles would be all five members'
    many = spread([ReplayedBills(index, 0, 10 * index, 0) for index in range(4 * FEWEST)], {}, "held")
    assert many.quartiles_n == ("0", "40", "90", "140", "190")
    assert more.largest_loss_n == "30"


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=FEWEST, max_size=40))
def test_no_group_of_fewer_than_five_is_shown_and_groups_add_up(names):
    lines = [ReplayedBills(index, 0, 2**index, 0) for index in range(len(names))]
    groups = spread(lines, dict(enumerate(names)), "held").groups_n
    assert sum(map(int, groups.values())) == 2 ** len(names) - 1
    assert all(int(total).bit_count() >= FEWEST for total in groups.values())


def test_a_bill_that_no_lane_holds_is_refused():
    with pytest.raises(InputError, match="replay fewer days"):
        tree_of([ReplayedBills(0, 2**49, 0, 0)], SECRET)


def test_todays_rules_are_those_decided_on_and_none_that_begin_later():
    community, slot = load(EXAMPLE), parse_time("2027-01-01T00:00Z")
    written = msgspec.structs.replace(community, changes=())
    taken = [
        Decided(
            number="network-fee", value=value, since=since, holds_from=since, block=at, block_hash="0x", at=slot + at
        )
        for at, (value, since) in enumerate([(28_000, slot), (29_000, slot + 7 * DAY)])
    ]
    assert BY_NAME["network-fee"].of(_today(written, taken, slot + DAY)) == 28_000
    assert _today(written, taken, slot) == written
