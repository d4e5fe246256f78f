"""Tables: the same content has the same digest on every machine, and no other content has it."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from tests.strategies import orders_table, whole
from transactive.core.certificates import Certificates, Footprints
from transactive.core.postings import Postings
from transactive.core.tables import (
    Clearing,
    DeviceRules,
    Environment,
    Forecast,
    Measured,
    Orders,
    ReadingQuality,
    Readings,
    Refusals,
)
from transactive.core.trades.delivery import Delivery


def example(kind):
    """A table whose columns all differ."""
    numbers: dict[str, Any] = {}
    for k, field in enumerate(fields(kind)):
        if field.type == "int":
            numbers[field.name] = 100 + k
        elif field.type == "BoolArray":
            numbers[field.name] = np.array([True, False])
        else:
            numbers[field.name] = whole(k, 10 * k + 1)
    return kind(**numbers)


KINDS = (
    Measured, Environment, Readings, Forecast, DeviceRules, Orders, Refusals, Clearing, Delivery, Postings,
    Certificates, Footprints,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_counts_in_the_digest(kind):
    table = example(kind)
    seen = {table.digest()}
    for field in fields(kind):
        column = getattr(table, field.name)
        changed = column + 1 if field.type == "int" else np.concatenate((column[:1], ~column[1:]))
        seen.add(replace(table, **{field.name: changed}).digest())
    assert len(seen) == len(fields(kind)) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_named_as_the_fields(kind):
    table = example(kind)
    assert list(table.columns()) == [field.name for field in fields(kind)]
    assert all(table.columns()[field.name] is getattr(table, field.name) for field in fields(kind))


def test_a_reading_is_metered_unless_it_is_said_otherwise():
    registers = whole(1, 2), whole(0, 0), whole(5, 0), whole(0, 1), whole(0, 0)
    plain = Readings(3600, *registers)
    assert plain.quality.tolist() == [ReadingQuality.METERED] * 2
    told = Readings(3600, *registers, quality=whole(ReadingQuality.SUBSTITUTED, ReadingQuality.LATE))
    assert told.estimated.tolist() == [True, False]
    assert replace(told, export_wh=whole(7, 7)).quality.tolist() == told.quality.tolist()
    assert told.digest() != plain.digest()


def test_the_digest_is_written_down():
    readings = Readings(3600, whole(1, 2), whole(0, 0), whole(5, 0), whole(0, 2**62), whole(0, -1))
    assert readings.digest().hex() == "bbf81c1002a162e4c11caa19afb0198c0d9aae67934d011d401f3418d6da645b"
    orders = orders_table([0, 1], [True, False], [80_000, -5], [10, 20])
    assert orders.digest().hex() == "56b02974a3429f5afba59e85fb87e12080d14585c18c677e678fd3cdfb02cdea"


def test_the_digest_does_not_depend_on_layout_or_width():
    base = whole(1, 2, 3, 4)
    one = Measured(0, base.reshape(2, 2), base.reshape(2, 2))
    fortran = np.asfortranarray(base.reshape(2, 2))
    other = Measured(0, fortran, base.reshape(2, 2).astype(">i4"))
    assert one.digest() == other.digest()


def test_tables_of_other_kind_or_shape_differ():
    empty = whole()
    a, b = whole(1), whole(2)
    assert Refusals(0, a, a == 1, a, b, b).digest() != Orders(0, a, a == 1, a, b, b).digest()
    assert (
        Measured(0, whole(1, 2).reshape(1, 2), empty).digest() != Measured(0, whole(1, 2).reshape(2, 1), empty).digest()
    )
    assert Measured(0, whole(1), whole(2, 3)).digest() != Measured(0, whole(1, 2), whole(3)).digest()


def test_tables_cannot_be_changed():
    with pytest.raises(AttributeError):
        example(Readings).slot = 5


def test_nets_are_received_less_paid_and_may_meet_an_account_twice():
    postings = Postings(
        0, whole(1, 1, 1), whole(0, 0, 2), whole(1, 1, 0), whole(0, 0, 0), whole(0, 0, 0), whole(5, 7, 2)
    )
    assert postings.net_n(4).tolist() == [-10, 12, -2, 0]
    assert postings.and_then(postings).net_n(4).tolist() == [-20, 24, -4, 0]
    assert len(postings.and_then(postings)) == 6


def test_a_quantile_is_the_smallest_sample_that_covers_it():
    forecast = Forecast(whole(0), 0, whole(40, 10, 30, 20).reshape(1, 4, 1))
    covered = {parts: int(forecast.quantile_wh(parts, 8)[0, 0]) for parts in range(9)}
    assert covered == {0: 10, 1: 10, 2: 10, 3: 20, 4: 20, 5: 30, 6: 30, 7: 40, 8: 40}


def test_consumption_is_what_the_other_registers_leave():
    readings = Readings(0, whole(5, 0), whole(0, 3), whole(0, 9), whole(1, 2), whole(0, 0))
    assert readings.consumption_wh.tolist() == [4, 4]
