"""The pages of the explorer: contracts and blocks, one commitment, and the proof of a leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transactive.chain.deployments.deployment import FILE, load
from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.core.slots import time_text
from transactive.core.units import kwh_text
from transactive.services.statements.leaf_proof import LeafProof
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.store.read.stages import newest_blocks
from transactive.texts.formatting import Words
from transactive.web.pages.parts.common import freshness
from transactive.web.pages.parts.times import slot_mark
from transactive.web.viewers import Viewer

A_PAGE, NETTINGS = 25, 10
"""Blocks on a page, and nettings beside them."""
TEXTS = {
    "settlement": "holds deposits, slot commitments and nettings",
    "currency": "the token that balances are kept in",
    "disputes": "judges challenges of settlements",
    "certificate_disputes": "judges challenges of certificates and carbon",
    "demands": "hears members whose proof was not given",
    "prediction_market": "sells shares in what the community will use or make",
    "forecast_pool": "pays stakes on forecasts of a day",
    "judges": "lists the judges that can convict the operator",
    "deals": "judges whether deals of members were settled",
    "certificates": "keeps certificates that left the register",
}
SUMS = {
    "debit_n": "Paid",
    "credit_n": "Received",
    "bought_wh": "Bought",
    "sold_wh": "Sold",
    "imported_wh": "Imported",
    "exported_wh": "Exported",
    "produced_wh": "Produced",
    "certified_wh": "Certified",
}
"""Counters of a leaf, as people read them."""


def contracts_of(folder: Path) -> dict[str, tuple[str, str]]:
    """Address and hash of the code of each contract, by name; empty where none was deployed from here."""
    path = folder / FILE
    if not path.is_file():
        return {}
    return {name: (one.address, one.code_keccak) for name, one in load(path).contracts.items()}


def frame(run: Run, position: RunProgress, viewer: Viewer, idle: float) -> dict[str, Any]:
    """What every page of the explorer needs."""
    words = Words(run.community.currency, run.community.zone)
    fresh = freshness(run, position, len(run.community.members), idle, words)
    return {"run": run, "words": words, "viewer": viewer, "fresh": fresh}


def explorer_page(reader: Reader, run: Run, until: int | None) -> dict[str, Any]:
    """Contracts, the newest nettings, and blocks up to a slot [Unix s], newest first."""
    words = Words(run.community.currency, run.community.zone)
    blocks = newest_blocks(reader.store, A_PAGE + 1, until)
    older = blocks[A_PAGE]["slot"] if len(blocks) > A_PAGE else None
    nettings = newest_blocks(reader.store, NETTINGS, with_netting=True)
    return {
        "contracts": [
            {"name": name, "address": address, "code": code, "text": TEXTS.get(name, "")}
            for name, (address, code) in contracts_of(reader.store.path.parent).items()
        ],
        "blocks": [_block(row, run, words) for row in blocks[:A_PAGE]],
        "nettings": [_block(row, run, words) for row in nettings],
        "older": None if older is None else time_text(older),
        "newest": until is None,
    }


def commitment_page(row: Row, run: Run, viewer: Viewer) -> dict[str, Any]:
    """One committed slot: its block, and whose leaves can be followed. row: of the slot, with its block."""
    words = Words(run.community.currency, run.community.zone)
    seen = [name for name in run.community.ids if viewer.sees_all or name == viewer.member]
    return {
        "block": _block(row, run, words),
        "day": words.day(row["slot"]),
        "homes": seen,
        "length": run.clock.length,
    }


def proof_page(proof: LeafProof, member: str, slot: int, run: Run) -> dict[str, Any]:
    """A leaf's way to the root, step by step."""
    words = Words(run.community.currency, run.community.zone)
    return {
        "proof": proof,
        "member": member,
        "at": time_text(slot),
        "span": words.span(slot, run.clock.length),
        "day": words.day(slot),
        "sums": _sums(proof.sums, words),
        "substituted": [f"{kwh_text(wh, 3)} kWh" for wh in proof.substituted_wh],
    }


def has_chain(folder: Path) -> bool:
    """Whether the chain of a run lies in its folder, so that proofs can be made here."""
    return (folder / CHAIN_FILE).is_file()


def _sums(sums: Mapping[str, int], words: Words) -> Sequence[tuple[str, str]]:
    return [
        (SUMS[name], words.exact(value) if name.endswith("_n") else f"{kwh_text(value, 3)} kWh")
        for name, value in sums.items()
    ]


def _block(row: Row, run: Run, words: Words) -> dict[str, Any]:
    return {
        "at": time_text(row["slot"]),
        "mark": slot_mark(row["slot"], run.clock.length, words),
        "day": words.short_day(row["slot"]),
        "number": f"{row['number']:,}",
        "hash": row["hash"],
        "gas": f"{row['commit_gas']:,}",
        "netting": f"{row['netting_gas']:,}" if row["netting_gas"] else "",
        "compared": bool(row["checked"]),
    }
