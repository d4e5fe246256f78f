"""What became of a run's certificates, on the carbon page: sums, what was traded apart, and steps of people since."""

from __future__ import annotations

import sqlalchemy as sa

from transactive.core.certificates import CertificateState
from transactive.core.postings import PostingKind
from transactive.core.units import kwh_text
from transactive.store.read.runs import Reader, Run
from transactive.store.schema import CERTIFICATE_LOG, CERTIFICATES, POSTINGS
from transactive.texts.formatting import Words, counted

PLACES = (
    ("Claimed by who used it in its slot", CertificateState.CLAIMED, None),
    ("Stored in batteries", CertificateState.STORED, None),
    ("Kept by its producer", CertificateState.HELD, True),
    ("Left with the supplier", CertificateState.HELD, False),
)


def certificate_totals(reader: Reader, run: Run, words: Words, member: int | None) -> dict[str, object]:
    """Issued certificates by what became of them, of all devices or of one member's."""
    c, homes = CERTIFICATES.c, len(run.community.members)
    kept = (c.owner < homes).label("kept")
    issued = sa.select(c.state, kept, sa.func.sum(c.energy_wh).label("wh"), sa.func.sum(c.market_mg).label("mg"))
    if member is not None:
        issued = issued.where(c.device // 2 == member)
    found = reader.store.rows(issued.group_by(c.state, kept))
    rows = []
    for name, state, by_producer in PLACES:
        here = [r for r in found if r["state"] == state and by_producer in (None, bool(r["kept"]))]
        wh, mg = (sum(row[column] for row in here) for column in ("wh", "mg"))
        if wh:
            rows.append((name, kwh_text(wh, 3), f"{mg // wh:,}"))
    steps = reader.store.rows(sa.select(sa.func.count().label("steps")).select_from(CERTIFICATE_LOG))[0]["steps"]
    return {"rows": rows, "apart": _apart(reader, words, member), "steps": counted(steps, "step") if steps else ""}


def _apart(reader: Reader, words: Words, member: int | None) -> str:
    """What was traded apart from energy, in a sentence or two; nothing without any."""
    p = POSTINGS.c
    sums = sa.func.sum(p.energy_wh).label("wh"), sa.func.sum(p.amount_n).label("n")
    traded = sa.select(*sums).where(p.kind == PostingKind.CERTIFICATES)
    sides = {"sold": p.payee, "bought": p.payer} if member is not None else {"sold": None}
    sentences = []
    for verb, side in sides.items():
        row = reader.store.rows(traded if side is None else traded.where(side == member))[0]
        if row["wh"]:
            sentences.append(f"{kwh_text(row['wh'], 3)} kWh were {verb} apart from energy for {words.money(row['n'])}.")
    return " ".join(sentences)
