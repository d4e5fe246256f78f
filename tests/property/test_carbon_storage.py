"""Lots in a battery: first in, first out, and neither Wh nor mg are lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.carbon.certificates.storage import CERTIFIED, CHARGED, LOCATION, MARKET, Lots

STEP = st.tuples(
    st.integers(0, 60), st.integers(0, 100), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 100)
)


@st.composite
def lives(draw):
    """Per slot and battery: charged Wh, certified share, two carbons, and the share of what it holds taken after."""
    members = draw(st.integers(1, 3))
    return members, draw(st.lists(st.lists(STEP, min_size=members, max_size=members), max_size=8))


class Queue:
    """One battery in plain numbers: a list of lots, oldest first."""

    def __init__(self):
        self.lots: list[list[int]] = []

    def put(self, lot):
        if lot[CHARGED]:
            self.lots.append(list(lot))

    def take(self, wanted):
        out = [0, 0, 0, 0]
        while wanted:
            lot = self.lots[0]
            held = lot[CHARGED]
            taken = min(wanted, held)
            part = [column * taken // held for column in lot]
            out = [a + b for a, b in zip(out, part, strict=True)]
            self.lots[0] = [a - b for a, b in zip(lot, part, strict=True)]
            if taken == held:
                self.lots.pop(0)
            wanted -= taken
        return out

    @property
    def held(self):
        return sum(lot[CHARGED] for lot in self.lots)


@given(lives())
def test_lots_are_those_of_a_plain_queue(life):
    members, slots = life
    lots, queues = Lots.empty(members), [Queue() for _ in range(members)]
    put_in, taken_out = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for rows in slots:
        new = np.array([(c, c * s // 100, m if c else 0, g if c else 0) for c, s, m, g, _ in rows], np.int64)
        lots = lots.put(*new.T)
        put_in += new.sum(axis=0)
        for queue, lot in zip(queues, new.tolist(), strict=True):
            queue.put(lot)
        wanted = [queue.held * row[4] // 100 for queue, row in zip(queues, rows, strict=True)]
        lots, drawn = lots.take(np.array(wanted, np.int64))
        taken_out += drawn.sum(axis=0)
        assert drawn.tolist() == [queue.take(w) for queue, w in zip(queues, wanted, strict=True)]
        assert lots.charged_wh.tolist() == [queue.held for queue in queues]
        depth = max(len(queue.lots) for queue in queues)
        padded = [queue.lots + [[0] * 4] * (depth - len(queue.lots)) for queue in queues]
        assert lots.columns.tolist() == [[lots_[k] for lots_ in padded] for k in range(depth)]
        assert (lots.columns >= 0).all()
        assert (lots.columns[:, :, CERTIFIED] <= lots.columns[:, :, CHARGED]).all()
        assert (put_in - taken_out).tolist() == lots.columns.sum(axis=(0, 1)).tolist()


@given(lives())
def test_an_emptied_battery_has_given_all_its_carbon(life):
    members, slots = life
    lots = Lots.empty(members)
    for rows in slots:
        charged = np.array([row[0] for row in rows], np.int64)
        mg = np.array([row[2] for row in rows], np.int64) * (charged > 0)
        lots = lots.put(charged, charged, mg, mg)
    total = lots.columns.sum(axis=0)
    left, drawn = lots.take(lots.charged_wh)
    assert drawn.tolist() == total.tolist()
    assert left.columns.shape == (0, members, 4)
    assert (drawn[:, MARKET] == drawn[:, LOCATION]).all()
