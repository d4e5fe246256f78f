"""Records: one hash a member that everything it was told goes into."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.carbon.certificates.records import (
    bundle_rows,
    heads,
    posting_rows,
    record_hash,
    record_hashes,
    rows_of,
)
from transactive.core.certificates import Certificates, Footprints, bundle_words
from transactive.core.errors import CertificateError
from transactive.core.postings import Postings
from transactive.core.tables import Readings

MEMBERS = 4
SMALL = st.integers(0, 2**40)


def column(values, rows=MEMBERS):
    return st.lists(values, min_size=rows, max_size=rows).map(lambda column: np.array(column, np.int64))


@st.composite
def slots(draw):
    """Any tables of a slot; accounts go beyond the members."""
    posted, bundles = draw(st.integers(0, 8)), draw(st.integers(0, 8))
    account = st.integers(0, MEMBERS + 3)
    postings = Postings(
        0, draw(column(st.integers(1, 17), posted)), *(draw(column(account, posted)) for _ in range(2)),
        *(draw(column(SMALL, posted)) for _ in range(3)),
    )  # fmt: skip
    certificates = Certificates(
        0, draw(column(st.integers(0, 2 * MEMBERS - 1), bundles)), draw(column(SMALL, bundles)),
        draw(column(SMALL, bundles)), draw(column(account, bundles)), draw(column(st.integers(1, 3), bundles)),
        draw(column(SMALL, bundles)),
    )  # fmt: skip
    readings = Readings(0, *(draw(column(SMALL)) for _ in range(5)))
    footprints = Footprints(0, *(draw(column(SMALL)) for _ in range(5)), *(draw(SMALL) for _ in range(10)))
    head = heads(readings, footprints, draw(column(SMALL)), draw(column(SMALL)))
    return head, postings, certificates


def own_rows(postings, certificates, member):
    return (
        rows_of(posting_rows(postings), postings.payer, postings.payee, member),
        rows_of(bundle_rows(certificates), certificates.device // 2, certificates.owner, member),
    )


@given(slots())
def test_all_at_once_is_one_by_one(slot):
    head, postings, certificates = slot
    one_by_one = [record_hash(head[i], *own_rows(postings, certificates, i)) for i in range(MEMBERS)]
    assert record_hashes(head, postings, certificates) == one_by_one


@given(slots(), st.data())
def test_every_number_goes_in(slot, data):
    head, postings, certificates = slot
    member = data.draw(st.integers(0, MEMBERS - 1))
    tables = [head[member].copy(), *(rows.copy() for rows in own_rows(postings, certificates, member))]
    before = record_hash(*tables)
    table = data.draw(st.sampled_from([t for t in tables if t.size]))
    table.flat[data.draw(st.integers(0, table.size - 1))] += data.draw(st.sampled_from([1, -1, 2**32]))
    try:
        after = record_hash(*tables)
    except CertificateError:  # a number that has no place in a bundle's word
        return
    assert after != before


def test_a_row_does_not_pass_for_one_of_the_other_table():
    head, row = np.zeros(11, np.int64), np.ones((1, 6), np.int64)
    nothing = np.zeros((0, 6), np.int64)
    assert record_hash(head, row, nothing) != record_hash(head, nothing, row)


@pytest.mark.parametrize(("column", "most"), [(0, 32), (1, 62), (2, 62), (3, 32), (4, 8), (5, 56)])
def test_a_number_without_a_place_in_a_bundle_is_refused(column, most):
    row = np.zeros((1, 6), np.int64)
    row[0, column] = (1 << most) - 1
    assert int.from_bytes(bundle_words(row).tobytes(), "big").bit_count() == most
    for wrong in (1 << most, -1):
        row[0, column] = wrong
        with pytest.raises(CertificateError, match="too large"):
            bundle_words(row)
