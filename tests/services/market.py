"""A live market as a process of its own: `python -m tests.services.market FOLDER BROKER SINCE SLOTS [SPEED]`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.services.street import BEGIN, SLOT, SPEED
from transactive.config.setting import load_setting
from transactive.core.slots import DAY
from transactive.engine.live.session import Pace, go_live
from transactive.engine.live.waiting import WallClock

SEED = "street"


def main(folder: Path, broker: str, since: float, slots: int, speed: float = SPEED) -> None:
    """Run the street's market and print its hash."""
    first = BEGIN + 4 * SLOT
    own = range(first, first + slots * SLOT, SLOT)
    setting = load_setting(folder / "community.toml", until=own.stop + DAY).read_by(first)
    clock = WallClock(speed, BEGIN, since)
    pace = Pace(patience=600, spread=900, at_gate=600)

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    outcome, _ = go_live(setting, own, folder / "live", seed=SEED, pace=pace, broker=broker, tell=tell, clock=clock)
    print(outcome.summary.state_hash, outcome.summary.ledger_equals_chain)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), *map(float, sys.argv[5:]))
