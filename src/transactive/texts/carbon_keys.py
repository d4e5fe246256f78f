"""What each key means that says what carbon counts: emissions, levy, offsets, credits and certificates."""

from __future__ import annotations

CARBON_KEYS: dict[str, dict[str, str]] = {
    "OffsetPolicy": {
        "coverage_ppm": "Part of the residual carbon to offset [millionths].",
        "most_micro_per_t": "Highest price of a credit [µ¤/t].",
        "kinds": "Kinds of credits to accept; left out, all.",
        "vintage_from": "Oldest vintage to accept, a year.",
        "methodologies": "Methodologies to accept; left out, all.",
    },
    "LevyRules": {
        "mode": (
            "How the rate is found: `shadow` counts without charging, `floor` and `fixed` use the price "
            "below, `oracle` follows data.environment."
        ),
        "price_micro_per_t": "Price of carbon [µ¤/t].",
        "paid_micro_per_t": "Part of that price that the import price contains already [µ¤/t].",
        "step_ppm_per_period": "Largest change of an `oracle` price in a period [millionths].",
        "use": "Who gets the levy back: all in equal parts, those who store, an offset fund, or all by consumption.",
    },
    "OffsetRules": {
        "file": "TOML or JSON of projects, batches and listings of credits.",
        "community": 'What a levy with use = "offsets" buys for everybody.',
    },
    "GridSource": {
        "name": "Name of the source, as in the column grid_NAME_wh: small letters and digits.",
        "g_per_kwh": "Emission factor [g/kWh].",
        "carbon_free": "Counts as carbon-free in the score that includes the grid.",
    },
    "AvoidedRules": {
        "auditor": "In whose name credits are issued.",
        "marginal_g_per_kwh": "Marginal emissions of the grid [g/kWh]; left out, a column of data.environment.",
        "uncertainty_ppm": "Half the width of the interval of that factor [millionths]; its lower bound counts.",
        "baseline_ppm": "Part of the generation that would exist anyway [millionths].",
        "leakage_ppm": "Part of the saving that is emitted elsewhere [millionths].",
        "named": "Members whose PV is additional, however old.",
        "price_micro_per_t": (
            "Price at which issued credits are put up for sale [µ¤/t]; left out, the owner keeps them."
        ),
    },
    "CarbonRules": {
        "grid_g_per_kwh": "Average emissions of the grid [g/kWh]; left out, a column of data.environment.",
        "grid_sources": "Sources of the grid's energy, for mixes that follow each slot.",
        "pv_g_per_kwh": "Life-cycle emissions of PV [g/kWh].",
        "levy": "Levy on grid energy without a certificate.",
        "offsets": "Credits on offer.",
        "avoided": "Avoided-emission credits for PV.",
        "certificates": "Zones, life and attributes of certificates.",
    },
    "Generator": {
        "id": (
            "Identifier of the device: letters, digits, `_`, `.`, `-`, at most 64; left out, the member's id and -pv."
        ),
        "source": "Energy source in small letters, such as solar or wind; left out, solar.",
        "technology": "Technology, in EnergyTag's terms.",
        "commissioned": "Date of commissioning, YYYY-MM-DD.",
        "location": "Place of the device.",
        "support": "Public support that the device receives.",
        "factor_g_per_kwh": "Life-cycle emissions [g/kWh]; needed for every source but solar.",
        "factor_source": "Where that factor comes from.",
    },
    "CertificateRules": {
        "zones": "Zones in which meters can be; left out, everybody is in one.",
        "reach": (
            "Pairs of zones: what the first generates can be claimed in the second. A zone always reaches itself."
        ),
        "validity_days": "Unused certificates expire after this many days.",
        "generator": "Attributes that all devices share.",
    },
    "CertificateWishes": {
        "exports": (
            "Certificates of exported energy: travel with it, stay with the producer, or are offered for sale."
        ),
        "ask_micro_per_kwh": 'Lowest price with exports = "sell" [µ¤/kWh].',
        "imports": "Certificates of grid energy: those that come with it, more at a price, or none.",
        "bid_micro_per_kwh": 'Highest price with imports = "buy" [µ¤/kWh].',
    },
}
