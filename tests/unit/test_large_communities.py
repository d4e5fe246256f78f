"""Communities that one settlement has no room for: who settles together, and what they cannot have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from transactive.chain.deployments.deployment import deploy
from transactive.config.checks import check
from transactive.config.community_file import load
from transactive.core.community.community import Community
from transactive.core.errors import ConfigError, InputError

EXAMPLE = Path(__file__).parents[2] / "src" / "transactive" / "data" / "example" / "community.toml"


@pytest.fixture(scope="module")
def small() -> Community:
    return load(EXAMPLE)


def of(small: Community, members: int, most: int | None = None) -> Community:
    """So many members, in groups of at most so many."""
    chain = msgspec.structs.replace(small.chain, members_per_group=most)
    some = tuple(msgspec.structs.replace(small.members[0], id=f"m{number}") for number in range(members))
    return msgspec.structs.replace(small, members=some, chain=chain)


@pytest.mark.parametrize(
    ("members", "most", "sizes"),
    [
        (4_090, None, []),
        (4_091, None, [4_091]),
        (10_000, None, [3_333, 3_333, 3_334]),
        (7, 3, [2, 2, 3]),
        (3, 3, []),
        (10_000, 5_000, [3_333, 3_333, 3_334]),
    ],
)
def test_members_are_divided_where_one_settlement_has_no_room(small, members, most, sizes):
    community = of(small, members, most)
    assert [len(group) for group in community.groups] == sizes
    assert community.windows == (2 if sizes else 1)
    assert list(community.places) == [place for size in sizes or [members] for place in range(size)]


def test_groups_need_time_for_two_windows(small):
    chain = msgspec.structs.replace(small.chain, members_per_group=1, challenge_window_minutes=12 * 60)
    with pytest.raises(ConfigError, match="two windows"):
        check(msgspec.structs.replace(small, chain=chain), "community.toml")


def test_groups_take_no_registry_that_is_there_and_no_holders(small):
    nothing: Any = None
    for options in ({"holders": ["0x" + "11" * 20]}, {"registry": "0x" + "11" * 20}):
        with pytest.raises(InputError, match="7 members settle in 3 groups"):
            deploy(nothing, nothing, of(small, 7, 3), 0, **options)
