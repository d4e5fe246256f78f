"""Sums over the slots of a run: everything that the summary says, counted as it happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.certificates import Certificates, CertificateState, Footprints
from transactive.core.congestion import Interventions, LineLoads, Measure
from transactive.core.postings import PostingKind, Postings
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Readings
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray


@dataclass(slots=True, kw_only=True)
class Tally:
    """Running sums. Per member (members,): with_market_n and without_market_n are payments − receipts [n¤].

    claimed_wh: certificates claimed; left_wh: of its devices, that left unclaimed; free_ppm_wh: carbon-free ppm of the
    grid's residual mix times what was used beyond claims. residual_mg, residual_wh: the residual mix of all slots.
    certificates_n: received − paid for certificates apart from energy, certificates_wh of which changed hands.
    """

    with_market_n: IntArray
    without_market_n: IntArray
    dividend_n: IntArray
    levy_n: IntArray
    levy_returned_n: IntArray
    offset_n: IntArray
    offset_kg: IntArray
    unmatched_mg: IntArray
    held_n: IntArray
    bought_wh: IntArray
    sold_wh: IntArray
    consumption_wh: IntArray
    location_mg: IntArray
    market_mg: IntArray
    claimed_wh: IntArray
    left_wh: IntArray
    free_ppm_wh: IntArray
    certificates_n: IntArray
    residual_mg: int = 0
    residual_wh: int = 0
    slots_without_free: int = 0
    slots: int = 0
    orders: int = 0
    refused: int = 0
    traded_wh: int = 0
    imported_wh: int = 0
    exported_wh: int = 0
    local_wh: int = 0
    grid_import_wh: int = 0
    energy_residual_wh: int = 0
    money_residual_n: int = 0
    cheapest_supply: int = 2**62
    certificates_wh: int = 0
    certificates_paid_n: int = 0
    slots_over: int = 0
    lines_over: int = 0
    would_be_over: int = 0
    called_wh: int = 0
    moved_wh: int = 0
    curtailed_wh: int = 0
    flexibility_n: int = 0
    curtailment_n: int = 0
    treasury_offset_n: int = 0
    treasury_offset_kg: int = 0
    offset_paid_n: int = 0

    @classmethod
    def empty(cls, members: int) -> Tally:
        """Nothing yet."""

        def none() -> IntArray:
            return np.zeros(members, np.int64)

        return cls(
            with_market_n=none(),
            without_market_n=none(),
            dividend_n=none(),
            levy_n=none(),
            levy_returned_n=none(),
            offset_n=none(),
            offset_kg=none(),
            unmatched_mg=none(),
            held_n=none(),
            bought_wh=none(),
            sold_wh=none(),
            consumption_wh=none(),
            location_mg=none(),
            market_mg=none(),
            claimed_wh=none(),
            left_wh=none(),
            free_ppm_wh=none(),
            certificates_n=none(),
        )

    def add(self, book: SlotBook) -> None:
        """Count one settled slot."""
        self.add_energy(book)
        self.add_levy(*book.levied, book.postings)
        self.add_scores(book.readings, book.certificates, book.footprints)
        self.add_offsets(book.postings)

    def add_energy(self, book: SlotBook) -> None:
        """Count what was ordered, traded and metered in a slot, and what it cost."""
        positions, readings, postings = book.positions, book.readings, book.postings
        footprints, baseline, tariff = book.footprints, book.baseline, book.tariff
        members = len(self.with_market_n)
        total = Accounts(members).total
        net = postings.other_than(PostingKind.OFFSET).net_n(total)  # what somebody chose to offset is not the market's
        advanced, dividend = (self._received(postings, kind) for kind in (PostingKind.ADVANCE, PostingKind.DIVIDEND))
        self.slots += 1
        self.orders += len(book.orders)
        self.traded_wh += int(positions.bought_wh.sum())
        held = postings.held_n(members)
        self.with_market_n += advanced - net[:members] - held  # an advance is still owed, a hold still theirs
        self.held_n += held
        self.without_market_n += baseline.import_wh * tariff.supply_of - baseline.export_wh * tariff.feed_in_of
        self.without_market_n -= postings.only(PostingKind.CORRECTION).net_n(total)[:members]  # as it would be without
        standing = postings.kind == PostingKind.STANDING_CHARGE  # owed with a market as without
        np.add.at(self.without_market_n, postings.payer[standing], postings.amount_n[standing])
        self.dividend_n += dividend
        self.bought_wh += positions.bought_wh
        self.sold_wh += positions.sold_wh
        self.consumption_wh += readings.consumption_wh
        self.location_mg += footprints.location_mg
        self.market_mg += footprints.market_mg
        self._certificates(postings)
        self.cheapest_supply = min(self.cheapest_supply, tariff.supply)
        self._balance(positions, readings, postings, postings.net_n(total))

    def add_scores(self, readings: Readings, certificates: Certificates, footprints: Footprints) -> None:
        """Count what the 24/7 scores of a slot rest on, and its residual mix."""
        c = certificates
        claims, left = c.state == CertificateState.CLAIMED, c.state == CertificateState.HELD
        claimed = np.zeros_like(self.claimed_wh)
        np.add.at(claimed, c.owner[claims], c.energy_wh[claims])
        np.add.at(self.left_wh, c.device[left] // 2, c.energy_wh[left])
        self.claimed_wh += claimed
        self.free_ppm_wh += (readings.consumption_wh - claimed) * max(footprints.free_ppm, 0)
        self.slots_without_free += footprints.free_ppm < 0
        self.residual_mg += footprints.residual_mg
        self.residual_wh += footprints.residual_wh

    def add_levy(self, unmatched_mg: IntArray, due_n: IntArray, postings: Postings) -> None:
        """Count what the levy of a slot is due on, the levy, posted or only shown, and what came back, (members,)."""
        self.levy_n += due_n
        self.unmatched_mg += unmatched_mg
        self.levy_returned_n += self._received(postings, PostingKind.LEVY_RETURN)

    def _certificates(self, postings: Postings) -> None:
        """Count what was paid for certificates apart from energy."""
        apart = postings.kind == PostingKind.CERTIFICATES
        self.certificates_wh += int(postings.energy_wh[apart].sum())
        self.certificates_paid_n += int(postings.amount_n[apart].sum())
        self.certificates_n += self._received(postings, PostingKind.CERTIFICATES)
        np.subtract.at(self.certificates_n, postings.payer[apart], postings.amount_n[apart])

    def add_grid(self, loads: LineLoads, limits: tuple[IntArray, IntArray], done: Interventions) -> None:
        """Count the lines of a slot against what they carry each way [Wh], (lines,), and what was done for them."""
        most, most_back = limits
        over, would_be = ((flow > most) | (flow < -most_back) for flow in (loads.flow_wh, loads.unlimited_wh))
        self.slots_over += int(over.any())
        self.lines_over += int(over.sum())
        self.would_be_over += int(would_be.any())
        self.called_wh += done.energy_of(Measure.CALL)
        self.moved_wh += done.energy_of(Measure.MOVE)
        self.curtailed_wh += done.energy_of(Measure.CURTAIL)
        self.flexibility_n += done.amount_of(Measure.CALL) + done.amount_of(Measure.MOVE)
        self.curtailment_n += done.amount_of(Measure.CURTAIL)

    def add_offsets(self, postings: Postings) -> None:
        """Count carbon credits: what each member paid less what it received, and the kg that it had retired."""
        members = len(self.offset_n)
        p, accounts = postings, Accounts(members)
        offset = p.kind == PostingKind.OFFSET
        kg = np.zeros(accounts.total, np.int64)
        np.add.at(kg, p.payer[offset], p.energy_wh[offset])
        self.offset_kg += kg[:members]
        self.offset_paid_n += int(p.amount_n[offset & (p.payer < members)].sum())
        self.treasury_offset_kg += int(kg[accounts.levy])
        self.treasury_offset_n += int(p.amount_n[offset & (p.payer == accounts.levy)].sum())
        self.offset_n -= (p.net_n(accounts.total) - p.other_than(PostingKind.OFFSET).net_n(accounts.total))[:members]

    def _balance(self, positions: Positions, readings: Readings, postings: Postings, net: IntArray) -> None:
        """Energy across the meters against energy in the postings; money in against money out."""
        imports, exports = int(readings.import_wh.sum()), int(readings.export_wh.sum())
        self.imported_wh += imports
        self.exported_wh += exports
        both_ways = int(np.minimum(readings.import_wh, readings.export_wh).sum())  # came from no neighbour
        self.local_wh += min(imports, exports) - both_ways
        self.grid_import_wh += max(imports - exports, 0) + both_ways
        kind, energy = postings.kind, postings.energy_wh
        bought = np.isin(kind, (PostingKind.SHORT_SUPPLIER, PostingKind.EXTRA_SUPPLIER))
        accounts = Accounts(len(self.with_market_n))
        posted = int(energy[bought].sum()) - int(energy[kind == PostingKind.GIVE_SUPPLIER].sum())
        lost = positions.lost_wh + postings.lost_beyond_wh(accounts.network)
        self.energy_residual_wh += abs(imports + lost - exports - posted)
        sold = int(positions.sold_wh.sum())
        self.energy_residual_wh += abs(int(positions.bought_wh.sum()) + positions.lost_wh - sold)
        self.money_residual_n += sum(abs(int(x)) for x in (net.sum(), net[accounts.escrow], net[accounts.pool]))

    def _received(self, postings: Postings, kind: PostingKind) -> IntArray:
        """What each member received under one kind [n¤]."""
        chosen = postings.kind == kind
        received = np.zeros_like(self.with_market_n)
        np.add.at(received, postings.payee[chosen], postings.amount_n[chosen])
        return received
