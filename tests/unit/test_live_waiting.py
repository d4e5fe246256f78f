"""A live market that waits for a gate or for meters can be ended: an hour is too long for a Ctrl-C."""

import threading
import time

import pytest

from transactive.engine.live.waiting import ReportWait, WallClock


class Ended(Exception):
    """Somebody asked the market to end."""


def end() -> None:
    raise Ended


def test_whoever_asks_a_market_to_end_does_not_wait_for_its_next_gate():
    clock, began = WallClock(look=end), time.monotonic()
    with pytest.raises(Ended):
        clock.wait_until(clock.now + 3_600)
    assert time.monotonic() - began < 60


def test_nor_for_meters_that_may_still_report():
    clock = WallClock(look=end)
    wait = ReportWait(clock, 3_600, threading.Condition())
    with pytest.raises(Ended):
        wait(clock.now)
