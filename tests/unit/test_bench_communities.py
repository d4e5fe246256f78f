"""The rehearsal of many communities, in small: one price, nobody's Wh lost, a head for each."""

from __future__ import annotations

from functools import partial

import pytest

from transactive.bench.live import rehearsal
from transactive.bench.live.rehearsal import orders_of, rehearse
from transactive.bench.markets.clearing import TICKS
from transactive.core.accounts import groups_of
from transactive.core.errors import RuleBroken
from transactive.market.auction.shards import meet, plain, shard_histogram


def test_communities_clear_as_one_and_settle_in_groups(monkeypatch):
    monkeypatch.setattr(rehearsal, "groups_of", partial(groups_of, most=25))
    found = rehearse(3, 60, map)
    crossing, _ = meet([shard_histogram(TICKS, plain, partial(orders_of, number, 60)) for number in range(3)])
    assert sum(part.bought_wh for part in found) == sum(part.sold_wh for part in found) == crossing.volume
    assert [part.groups for part in found] == [3, 3, 3]
    assert any(part.bought_wh != part.sold_wh for part in found)  # they trade with each other
    assert len({part.head for part in found}) == 3
    assert rehearse(3, 60, map) == found


def test_a_tree_that_states_other_sums_is_seen(monkeypatch):
    monkeypatch.setattr(rehearsal, "agrees", lambda *_: False)
    with pytest.raises(RuleBroken, match="through its group to the whole"):
        rehearse(1, 60, map)
