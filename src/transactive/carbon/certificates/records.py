"""What a slot says of one member, as one hash: registers, postings, certificates and carbon.

The hash stands in the member's leaf of the slot's certificates, so that a statement cannot change a figure. Whoever has
the rows can make it again, and whoever has the bundles and `rest` can show them to a contract without the others:

    rest    SHA-256 of "transactive rest 2", the number of postings that name the member, its head and those postings,
            all little-endian 64-bit numbers, and the hashes of what concerns it of carbon credits (`core.credit_notes`)
    record  SHA-256 of "transactive record 2", rest and the bundles that name the member, one 256-bit word each:
            device << 224 | owner << 192 | first Wh << 128 | Wh << 64 | state << 56 | mg

all in the order of the tables. `chain/contracts/modules/bundles.vy` reads the same words. Where members settle in
groups, devices and owners of bundles have the numbers of their group's settlement, and an account that is not there has
one that it never gives (`ELSEWHERE`): tokens for it wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise, repeat
from struct import iter_unpack

import numpy as np

from transactive.core.certificates import Certificates, Footprints, bundle_words, words_of
from transactive.core.credit_notes import Note, note_hash
from transactive.core.postings import Postings
from transactive.core.tables import Readings
from transactive.core.units import IntArray

PREFIX, REST = b"transactive record 2", b"transactive rest 2"
HEAD = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")
"""Registers at the beginning of a head; the member's carbon follows."""
POSTING_BYTES = 48
AT_ONCE = 4_096
"""Members whose heads are in memory as bytes together: what the cache holds is hashed twice as fast as a million."""
ELSEWHERE = 2**31
"""Added to the number of an owner whose account is in another settlement."""
MIXES = ("grid_mg", "grid_wh", "residual_mg", "residual_wh", "free_ppm")
"""What stands at the end of every head of a slot."""


def heads(readings: Readings, footprints: Footprints, unmatched_mg: IntArray, levy_n: IntArray) -> IntArray:
    """First row of each member's record, (members, 18): slot, registers, footprints, levy, battery, mixes."""
    head = np.empty((len(readings.import_wh), 13 + len(MIXES)), np.int64)
    head[:, 0] = readings.slot
    carbon = footprints.location_mg, footprints.market_mg, unmatched_mg, levy_n, footprints.mix_mg_per_kwh
    battery = footprints.drawn_mg, footprints.stored_mg
    for place, column in enumerate((*(getattr(readings, name) for name in HEAD), *carbon, *battery), start=1):
        head[:, place] = column
    head[:, 13:] = [getattr(footprints, name) for name in MIXES]
    return head


def posting_rows(postings: Postings) -> IntArray:
    """Postings as rows, (postings, 6): kind, payer, payee, Wh, price, amount."""
    p = postings
    return np.stack((p.kind, p.payer, p.payee, p.energy_wh, p.price, p.amount_n), axis=1)


def bundle_rows(certificates: Certificates) -> IntArray:
    """Bundles as rows, (bundles, 6): device, first Wh, Wh, owner, state, market-based mg."""
    c = certificates
    return np.stack((c.device, c.first_wh, c.energy_wh, c.owner, c.state, c.market_mg), axis=1)


def in_settlement(bundles: IntArray, places: Sequence[int] | None) -> IntArray:
    """Rows of bundles with the numbers of their settlements. places: as `record_hashes` takes them.

    Who claims a certificate is in the group of its producer, as is every member that holds one.
    """
    if places is None:
        return bundles
    place, rows = np.asarray(places, np.int64), bundles.copy()
    rows[:, 0] = 2 * place[bundles[:, 0] // 2] + bundles[:, 0] % 2
    member = bundles[:, 3] < len(place)
    rows[member, 3] = place[bundles[member, 3]]
    rows[~member, 3] += ELSEWHERE
    return rows


def rest_hash(head: IntArray, postings: IntArray, notes: Iterable[Note] = ()) -> bytes:
    """Hash of what is in one member's record beside the bundles."""
    parts = (np.array([len(postings)]), head, postings)
    rows = b"".join(np.ascontiguousarray(part, "<i8").tobytes() for part in parts)
    return sha256(REST + rows + b"".join(map(note_hash, notes))).digest()


def record_hash(head: IntArray, postings: IntArray, bundles: IntArray, notes: Iterable[Note] = ()) -> bytes:
    """Hash of one member's record from its rows, and what the slot says to it of carbon credits."""
    return with_rest(rest_hash(head, postings, notes), bundles)


def with_rest(rest: bytes, bundles: IntArray) -> bytes:
    """Hash of a record of which only the bundles are told."""
    return sha256(PREFIX + rest + bundle_words(bundles).tobytes()).digest()


def notes_for(member: int, members: int, notes: Iterable[Note]) -> tuple[Note, ...]:
    """What concerns a member: its own, and what was done for all by an account that is no member's."""
    return tuple(note for note in notes if note.account == member or note.account >= members)


def record_hashes(
    head: IntArray,
    postings: Postings,
    certificates: Certificates,
    notes: Sequence[Note] = (),
    places: Sequence[int] | None = None,
) -> list[bytes]:
    """Hash of every member's record, in order; `head` (members, 18) as `heads` gives it.

    places: of the members in the settlements of their groups; None where all are in one.
    """
    members = len(head)
    c, paid = certificates, posting_rows(postings)
    posted = _by_member(postings.payer, postings.payee, members)
    columns = (c.device, c.first_wh, c.energy_wh, c.owner, c.state, c.market_mg)
    words = words_of(columns if places is None else in_settlement(bundle_rows(c), places).T).view(np.int64)
    held = _by_member(c.device // 2, c.owner, members)
    found: list[bytes] = []
    for start in range(0, members, AT_ONCE):
        some = slice(start, min(start + AT_ONCE, members))
        heard = [b"".join(map(note_hash, notes_for(i, members, notes))) for i in range(members)[some]] if notes else ()
        found += _hashes(head[some], _part(paid, *posted, some), _part(words, *held, some), heard)
    return found


Rows = tuple[bytes, IntArray]
"""Rows as bytes, member by member, and where each member's begin and the last one's end."""


def _part(rows: IntArray, order: IntArray, begins: IntArray, members: slice) -> Rows:
    """Rows of some members, which `order` names member by member, from `begins` on."""
    ends = begins[members.start : members.stop + 1]
    some = np.ascontiguousarray(rows[order[ends[0] : ends[-1]]], "<i8")
    return some.tobytes(), (ends - ends[0]) * some.itemsize * rows.shape[1]


def _hashes(head: IntArray, posted: Rows, held: Rows, heard: Sequence[bytes]) -> list[bytes]:
    """Hashes of some members, cut from one buffer of heads, one of postings and one of bundles, with their notes."""
    prefix = np.frombuffer(REST, np.uint8)
    counts = np.diff(posted[1]) // POSTING_BYTES
    numbers = np.concatenate((counts[:, None], head), axis=1).astype("<i8").view(np.uint8)
    front = np.concatenate((np.broadcast_to(prefix, (len(head), len(prefix))), numbers), axis=1)
    (paid, paid_ends), (kept, kept_ends) = posted, held
    fronts = iter_unpack(f"{front.shape[1]}s", front.tobytes())
    ends = pairwise(paid_ends.tolist()), pairwise(kept_ends.tolist())
    places = zip(fronts, *ends, heard or repeat(b"", len(head)), strict=True)
    return [
        sha256(PREFIX + sha256(own + paid[a:b] + n).digest() + kept[c:d]).digest()
        for (own,), (a, b), (c, d), n in places
    ]


def rows_of(rows: IntArray, first: IntArray, second: IntArray, member: int) -> IntArray:
    """The rows that name a member in either column, in their order."""
    named: IntArray = rows[(first == member) | (second == member)]
    return named


def _by_member(first: IntArray, second: IntArray, members: int) -> tuple[IntArray, IntArray]:
    """Rows by the members that they name, once for each, in their order; and where each member's begin among them."""
    rows = max(len(first), 1)
    other = np.flatnonzero(first != second)
    row = np.concatenate((np.arange(len(first)), other))
    member = np.concatenate((first, second[other]))
    mine = member < members
    key = np.sort(member[mine] * rows + row[mine])  # by member, then by row: one sort of numbers instead of two
    return key % rows, np.searchsorted(key, np.arange(members + 1) * rows)
