"""Value-added tax: the rate on each item of a bill.

The ledger and the chain hold net amounts: every price of a community file is without VAT, and postings are too. A bill
adds the tax, item by item, at the rate that held in the slot of each posting (`Community.at`).
"""

from __future__ import annotations

from transactive.core.community.tariff_rules import BillItem, TariffRules
from transactive.core.postings import PostingKind

K = PostingKind
ITEM_OF: dict[PostingKind, BillItem] = {
    K.BOUGHT: "local_energy", K.CERTIFIED: "local_energy", K.SHORTFALL_REFUND: "local_energy",
    K.TRADED_AGAIN: "local_energy", K.SHORT_INSIDE: "local_energy", K.EXTRA_INSIDE: "local_energy",
    K.GIVE_INSIDE: "local_energy", K.SHARED: "local_energy", K.FORFEIT: "local_energy",
    K.SHORT_SUPPLIER: "supply", K.EXTRA_SUPPLIER: "supply", K.GIVE_SUPPLIER: "feed_in", K.SURPLUS: "feed_in",
    K.NETWORK_FEE: "network_fee", K.FLEXIBILITY: "network_fee", K.CURTAILMENT: "network_fee",
    K.STANDING_CHARGE: "standing_charge",
    K.LEVY: "levy", K.LEVY_RETURN: "levy", K.CERTIFICATES: "certificates", K.OFFSET: "credits",
}  # fmt: skip
"""Item of a posting between a member and another party. What is missing here bears no tax: it moves money only."""


def vat_ppm(rules: TariffRules, item: BillItem) -> int:
    """VAT on an item [ppm of its net amount]: the item's own rate, or else the general one."""
    return rules.vat_items_ppm.get(item, rules.vat_ppm)
