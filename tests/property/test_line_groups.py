"""Groups of lines: no combination of what they show, at several k together, tells of fewer homes than the least k."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.community.line_groups import LineGroups, line_groups
from transactive.core.community.network import Line, Network, NetworkRules, network_of


@st.composite
def streets(draw: st.DrawFn) -> tuple[Network, list[int]]:
    """A random network of up to nine nodes, at times with a ring, and the node of each of up to nine homes."""
    count = draw(st.integers(2, 9))
    ends = [(draw(st.integers(0, node - 1)), node) for node in range(1, count)]
    if count > 2 and draw(st.booleans()):
        ends.append((0, count - 1))
    ends = list(dict.fromkeys(ends))
    lines = tuple(Line(str(start), str(end), 1_000) for start, end in ends)
    network = network_of(NetworkRules(tuple(str(node) for node in range(count)), lines))
    at = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=9))
    return network, [network.names.index(str(node)) for node in at]


def shown(groups: LineGroups, node: list[int]) -> list[list[int]]:
    """A row a shown line of a tree: which homes take what it carries."""
    rows = []
    for line in np.flatnonzero(groups.shown).tolist():
        beyond = {int(groups.network.end[line])}
        for start, end in zip(groups.network.start.tolist(), groups.network.end.tolist(), strict=True):
            if start in beyond:  # a parent stands before its children
                beyond.add(end)
        rows.append([int(at in beyond) for at in node])
    return rows


def fewest(rows: list[list[int]], homes: int) -> int:
    """Homes of the smallest combination of rows that is not nothing: some k homes' figures follow from the rows.

    A combination with no other homes than some exists if leaving their columns out lowers the rank.
    """
    whole = np.array(rows, float)
    rank = np.linalg.matrix_rank(whole)
    for size in range(1, homes + 1):
        for some in combinations(range(homes), size):
            rest = np.delete(whole, some, axis=1)
            if (np.linalg.matrix_rank(rest) if rest.size else 0) < rank:
                return size
    return homes + 1


@given(streets(), st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_no_combination_of_flows_tells_of_fewer_homes(street: tuple[Network, list[int]], chosen: list[int]) -> None:
    network, node = street
    homes = np.bincount(node, minlength=len(network))
    rows = [row for least in chosen for row in shown(line_groups(network, homes, least), node)]
    told = [row for row in rows if any(row)]
    assert not told or fewest(told, len(node)) >= min(chosen)


@given(streets(), st.integers(1, 6))
def test_zones_hold_no_home_or_enough_and_larger_ones_are_unions(street: tuple[Network, list[int]], least: int) -> None:
    network, node = street
    homes = np.bincount(node, minlength=len(network))
    groups, coarser = (line_groups(network, homes, k) for k in (least, least + 2))
    assert groups.homes.sum() == len(node)
    assert len(groups.homes) == 1 or all(count == 0 or count >= least for count in groups.homes.tolist())
    pairs = set(zip(groups.zone.tolist(), coarser.zone.tolist(), strict=True))
    assert len(pairs) == len(groups.homes)


@given(streets(), st.integers(1, 4), st.data())
def test_sums_of_devices_need_as_many_homes_with_one(
    street: tuple[Network, list[int]], least: int, data: st.DataObject
) -> None:
    network, node = street
    groups = line_groups(network, np.bincount(node, minlength=len(network)), least)
    able = data.draw(st.lists(st.booleans(), min_size=len(node), max_size=len(node)))
    told = groups.summable(np.bincount(node, able, len(network)).astype(np.int64))
    assert not (told & ~groups.shown).any()
    rows = shown(groups, node)
    for row, line in zip(rows, np.flatnonzero(groups.shown).tolist(), strict=True):
        if told[line]:
            zones = {int(groups.zone[at]) for at, inside in zip(node, row, strict=True) if inside}
            counts = [sum(a for a, at in zip(able, node, strict=True) if groups.zone[at] == zone) for zone in zones]
            assert all(count == 0 or count >= least for count in counts)
