"""A life of the anchors: roots noted by whoever likes, and heads that are in them or not."""

from __future__ import annotations

from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.anchors import AnchorsTwin
from transactive.core.proofs.anchors import HeadTree
from transactive.core.proofs.merkle import ZERO


class AnchorsLife(Life):
    """Three publishers, and roots that are new, used or none."""

    contract = "anchors"

    def begin(self) -> Bound:
        self.now = 1_600_000_000
        self.people = [Person.named("member", number) for number in range(3)]
        self.twin, self.trees = AnchorsTwin(), list[HeadTree]()
        self.noted: list[tuple[str, bytes]] = []
        return Bound.deploy(self.machine, self.people[0].address, "anchors")

    def move(self) -> Call | None:
        rng = self.rng
        self.now += rng.choice([0, 1, 3_600])
        by = rng.choice(self.people)
        if self.trees and rng.random() < 0.3:
            root = rng.choice(self.trees).root
        else:
            self.trees.append(HeadTree({rng.randbytes(32) for _ in range(rng.randrange(1, 6))}))
            root = rng.choice([self.trees[-1].root] * 9 + [ZERO])

        def mirror(who: str) -> None:
            self.twin.anchor(who, root, 0, self.now)

        return Call(by, "anchor", (root,), mirror)

    def check(self) -> None:
        for tree in self.trees[-3:]:
            leaf = self.rng.choice(tree._leaves)
            for person in self.people:
                _block, time = self.c.read("anchoredIn", person.address, leaf, tree.way(leaf))
                self.equal(
                    "since when a head is noted", time, self.twin.anchored_in(person.address, leaf, tree.way(leaf))[1]
                )
