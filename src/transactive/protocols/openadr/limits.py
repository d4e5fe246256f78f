"""Limits of a utility as those of members: who may take how much when, and what of it boxes have to hear anew.

At a box the limit counts that it heard last. So where one is new or was changed, all that go before it are said again
after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from transactive.core.units import share
from transactive.engine.live.boxes.import_limits import SaidLimit
from transactive.node.dispatch.rulebook import LONGEST
from transactive.protocols.openadr.utility import UtilityLimit

NANOSECONDS = 10**9


class MemberLimit(NamedTuple):
    """What a member may take [W] in a span [Unix s]. modified: when the utility changed that last [Unix s]."""

    member: int
    span: tuple[int, int]
    most_w: int
    modified: float = 0


def limits_of_members(
    limits: Iterable[UtilityLimit], ids: Sequence[str], connections: Sequence[int | None], now: int
) -> list[MemberLimit]:
    """Limits of members that are not over and begin so soon that a box takes them, in the order of the utility's.

    A limit whose targets name members is that of each of them. Any other is the whole community's: it is shared by
    what their connections can take, to the last watt, and evenly where one of them is not known.
    """
    weights = [1] * len(ids) if None in connections else [one or 0 for one in connections]
    found = []
    for limit in limits:
        named = [ids.index(target) for target in limit.targets if target in ids]
        parts = dict.fromkeys(named, limit.most_w) or dict(enumerate(share(limit.most_w, weights)))
        for span in _spans(limit, now):
            found += [MemberLimit(member, span, watts, limit.modified) for member, watts in parts.items()]
    return found


def unsaid(found: Iterable[MemberLimit], known: Iterable[SaidLimit]) -> list[MemberLimit]:
    """Of limits in their order, the last of which counts, those that have to be said after what was said before."""
    said = {(one.member, (one.start, one.end), one.most_w): one.said for one in known}
    wanted: dict[tuple[int, tuple[int, int], int], MemberLimit] = {}
    for limit in found:
        same = wanted.pop(limit[:3], limit)
        wanted[limit[:3]] = limit._replace(modified=max(limit.modified, same.modified))
    newest: dict[int, int] = {}
    new, behind = [], set[int]()
    for key, limit in wanted.items():
        heard, least = said.get(key), max(newest.get(limit.member, 0), limit.modified * NANOSECONDS)
        if limit.member in behind or heard is None or heard < least:
            new.append(limit)
            behind.add(limit.member)
        else:
            newest[limit.member] = heard
    return new


def _spans(limit: UtilityLimit, now: int) -> Iterator[tuple[int, int]]:
    """A limit in parts as long as a box takes one, those that are not over and begin soon enough [Unix s]."""
    over = max(now - limit.start, 0) // LONGEST * LONGEST
    for start in range(limit.start + over, min(limit.end, now + LONGEST + 1), LONGEST):
        end = min(start + LONGEST, limit.end)
        if end > now:
            yield start, end
