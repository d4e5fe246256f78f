"""Contract `anchors` in plain Python: which roots a publisher has noted, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

from transactive.chain.twins.refusals import refusals
from transactive.core.proofs.anchors import root_of
from transactive.core.proofs.merkle import ZERO

refuse_unless = refusals("anchors")


@dataclass(slots=True)
class AnchorsTwin:
    """Number and time [Unix s] of the block that noted each root, by publisher."""

    since: dict[tuple[str, bytes], tuple[int, int]] = field(default_factory=dict)

    def anchor(self, by: str, root: bytes, block: int, time: int) -> None:
        """Note a root. Raises ContractRevert."""
        refuse_unless(root != ZERO, "no root")
        refuse_unless((by, root) not in self.since, "noted already")
        self.since[by, root] = block, time

    def anchored_in(self, publisher: str, leaf: bytes, way: list[bytes]) -> tuple[int, int]:
        """Block and time that noted the root of a leaf; zeros if none did."""
        return self.since.get((publisher, root_of(leaf, way)), (0, 0))
