"""What became of a run's certificates, on the carbon page: sums, what was traded apart, and steps of people since."""

from __future__ import annotations

from transactive.core.certificates import CertificateState
from transactive.store.read.certificates import by_state, head, traded_unbundled
from transactive.store.read.history.kept import kept_sums
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, count_text, kwh_text
from transactive.texts.language import N_, _, ngettext

PLACES = (
    (N_("Claimed by who used it in its slot"), CertificateState.CLAIMED, None),
    (N_("Stored in batteries"), CertificateState.STORED, None),
    (N_("Kept by its producer"), CertificateState.HELD, True),
    (N_("Left with the supplier"), CertificateState.HELD, False),
)


def certificate_totals(reader: Reader, run: Run, words: Words, member: int | None) -> dict[str, object]:
    """Issued certificates by what became of them, of all devices or of one member's."""
    asked = ("certificates", member, reader.position().delivered)
    found = kept_sums(reader).of(asked, lambda: by_state(reader.store, len(run.community.members), member))
    rows = []
    for name, state, by_producer in PLACES:
        here = [r for r in found if r["state"] == state and by_producer in (None, bool(r["kept"]))]
        wh, mg = (sum(row[column] for row in here) for column in ("wh", "mg"))
        if wh:
            rows.append((_(name), kwh_text(wh, 3), count_text(mg // wh)))
    steps, _root = head(reader.store)
    done = ngettext("%(num)s step", "%(num)s steps", steps) if steps else ""
    return {"rows": rows, "apart": _apart(reader, words, member), "steps": done}


def _apart(reader: Reader, words: Words, member: int | None) -> str:
    """What was traded apart from energy, in a sentence or two; nothing without any."""
    sides = {SOLD: traded_unbundled(reader.store, seller=member)}
    if member is not None:
        sides[BOUGHT] = traded_unbundled(reader.store, buyer=member)
    return " ".join(
        _(text, kwh=kwh_text(wh, 3), money=words.money(amount_n)) for text, (wh, amount_n) in sides.items() if wh
    )


SOLD = N_("%(kwh)s kWh were sold apart from energy for %(money)s.")
BOUGHT = N_("%(kwh)s kWh were bought apart from energy for %(money)s.")
