"""A slot of a statement from its book: what it says of a member, and the leaves that prove it."""

from __future__ import annotations

from typing import Any

from transactive.carbon.certificates.records import bundle_rows, notes_for, posting_rows
from transactive.core.proofs.corrections import Corrections
from transactive.core.slot_book import SlotBook
from transactive.core.units import IntArray
from transactive.insight.statements.statement_slot import (
    Registers,
    StatementCorrection,
    StatementLeaf,
    StatementMix,
    StatementSlot,
)


def stated_slot(book: SlotBook, index: int, leaf: StatementLeaf, carbon: StatementLeaf) -> StatementSlot:
    """One slot of a member's statement, with its leaves."""
    estimated = bool(book.readings.estimated[index])
    return StatementSlot(
        **contents(book, index),
        settlement_leaf=leaf,
        carbon_leaf=carbon,
        estimated=estimated,
    )


def contents(book: SlotBook, index: int) -> dict[str, Any]:
    """What a slot says of a member, by the names of a statement's slot: everything but what proves it."""
    readings, postings, bundles = book.readings, book.postings, book.certificates
    registers = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")
    posted = (postings.payer == index) | (postings.payee == index)
    held = (bundles.device // 2 == index) | (bundles.owner == index)
    return {
        "slot": readings.slot,
        "registers": Registers(**{name: int(getattr(readings, name)[index]) for name in registers}),
        "location_mg": int(book.footprints.location_mg[index]),
        "market_mg": int(book.footprints.market_mg[index]),
        "unmatched_mg": int(book.levied[0][index]),
        "levy_n": int(book.levied[1][index]),
        "mix_mg_per_kwh": int(book.footprints.mix_mg_per_kwh[index]),
        "drawn_mg": int(book.footprints.drawn_mg[index]),
        "stored_mg": int(book.footprints.stored_mg[index]),
        "grid": StatementMix(carbon_mg=book.footprints.grid_mg, energy_wh=book.footprints.grid_wh),
        "residual": StatementMix(carbon_mg=book.footprints.residual_mg, energy_wh=book.footprints.residual_wh),
        "grid_free_ppm": None if book.footprints.free_ppm < 0 else book.footprints.free_ppm,
        "postings": _rows(posting_rows(postings)[posted]),
        "bundles": _rows(bundle_rows(bundles)[held]),
        "credits": notes_for(index, len(readings.import_wh), book.notes),
        "corrections": () if book.corrections is None else _corrections(book.corrections.only(index)),
    }


def _corrections(of: Corrections) -> tuple[StatementCorrection, ...]:
    """Lines of one member."""
    made = []
    for row, signature in zip(of.rows.tolist(), of.signature.tolist(), strict=True):
        _, origin, previous, i, e, g, now_i, now_e, now_g, *rest = row
        names = StatementCorrection.__struct_fields__[4:-1]
        made.append(
            StatementCorrection(
                origin=origin, previous=previous, was=(i, e, g), now=(now_i, now_e, now_g),
                **dict(zip(names, rest, strict=True)), signature=bytes(signature).hex(),
            )
        )  # fmt: skip
    return tuple(made)


def _rows(rows: IntArray) -> tuple[tuple[int, int, int, int, int, int], ...]:
    """Rows of six columns."""
    return tuple((a, b, c, d, e, f) for a, b, c, d, e, f in rows.tolist())
