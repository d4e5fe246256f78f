"""What each key means that says what energy costs: tariff, sharing, and how members are billed."""

from __future__ import annotations

PRICE_KEYS: dict[str, dict[str, str]] = {
    "BillingRules": {
        "settlement": (
            "`bank`: papers ask for all money. `chain`: what the ledger paid on chain counts as paid, and papers ask "
            "for VAT and standing charges."
        ),
        "due_days": "Days from the date of a paper until it is due.",
        "number_prefix": "What stands before the number of each paper; numbers go on without a gap.",
        "small_business": "Why a small business charges no VAT, as the law wants it said on the paper.",
        "reverse_charge": "Why VAT is owed by the recipient, as the law wants it said on the paper.",
    },
    "TariffRules": {
        "supply_micro_per_kwh": (
            "Supplier's price for energy from the grid [µ¤/kWh]: a number, pairs of a local hour and the price from "
            "then on, or a rule; left out, the column import_price_micro_per_kwh of data.environment."
        ),
        "feed_in_micro_per_kwh": (
            "Supplier's price for surplus [µ¤/kWh], in the same forms; left out, the column of this name."
        ),
        "network_fee_micro_per_kwh": (
            "Network fee for energy from a neighbour, paid by its user [µ¤/kWh], in the same forms; left out, the "
            "column of this name."
        ),
        "feed_in_at_negative_prices": (
            "`nothing`: no feed-in is paid in slots whose exchange price is below zero, which is the column "
            "spot_price_micro_per_kwh of data.environment, or without it the supply price."
        ),
        "time_zone": (
            "Time zone of the community, such as Europe/Vienna: of hours, days and months in prices, and of the"
            " times that people see."
        ),
        "holidays": "Holidays, YYYY-MM-DD.",
        "vat_ppm": "Value-added tax that bills add [millionths]; every price of the file is without it.",
        "vat_items_ppm": (
            'Rates of single items in its place [millionths], such as `{ network_fee = "10 %" }`: supply, feed_in, '
            "local_energy, network_fee, standing_charge, levy, certificates, credits."
        ),
        "near_fee_micro_per_kwh": (
            "Network fee for energy that is used in the neighbourhood in which it was given [µ¤/kWh]; left out, the "
            "common fee."
        ),
        "standing_charge_n_per_day": (
            "What each member pays the supplier for a day [n¤], posted with its first slot in time_zone."
        ),
        "standing_charge_n_per_month": "The same for a month [n¤].",
        "groups": "Prices of groups, by a name that members give as `tariff_group`; what a group leaves out is common.",
    },
    "PriceRule": {
        "price_micro_per_kwh": "Price outside the times below [µ¤/kWh].",
        "column": "Column with the price of each slot, in place of a number: of data.environment, or of a file.",
        "file": "CSV of prices as an exchange or a supplier publishes them, relative to the community file.",
        "unit": "Unit of its numbers, such as EUR/MWh.",
        "time_column": "Column of its times; left out, the first.",
        "zone": "Zone of times that name none, as their column may too, `(CET/CEST)`; left out, tariff.time_zone.",
        "gaps": "`repeat`: a price holds until the next row, for a day at most, as where equal ones are left out.",
        "factor_ppm": "What the column is multiplied by [millionths].",
        "plus_micro_per_kwh": "What is added to the column, such as a surcharge [µ¤/kWh].",
        "times": "Times with a price of their own; the first that fits a slot counts.",
    },
    "PricePeriod": {
        "price_micro_per_kwh": "Price at these times [µ¤/kWh].",
        "from": "Begin, a local time of day, HH:MM; left out, midnight.",
        "to": "End, a local time of day, HH:MM; before the begin it is on the next day.",
        "days": "Days of the week, `workday`, `weekend` or `holiday`; left out, every day.",
        "months": "Months of the season, 1 to 12; left out, all.",
    },
    "GroupPrices": {
        "supply_micro_per_kwh": "Supplier's price for the group [µ¤/kWh]: a number, by hour, or a rule with times.",
        "feed_in_micro_per_kwh": "Supplier's price for its surplus [µ¤/kWh], in the same forms.",
        "network_fee_micro_per_kwh": "Network fee for energy that it uses of neighbours [µ¤/kWh], in the same forms.",
    },
    "SharingRules": {
        "preset": "Name of a law's model that the rules follow, such as at-eeg-dynamic; it says what is not here.",
        "keys": (
            "Keys in turn, each for what those before left: `static` by the members' shares, `rounds` by them until "
            "nothing is left, `dynamic` by what each takes, `equal` to all alike, `order` to one after the other, "
            "`coefficients` by a file's shares of the hour, `report` as the distributor allots; none where only "
            "circles share."
        ),
        "price_micro_per_kwh": "Price of shared energy, from user to producer, without the network fee [µ¤/kWh].",
        "fee_ppm": "Part of the network fee that shared energy bears [millionths].",
        "surplus": (
            "Who sells what a fixed share allots and its holder can not use: `producer`, or the `holder` of the share."
        ),
        "circles": "Members who share among themselves before all do, in this order.",
        "coefficients": "File with each member's share of each hour, relative to the community file.",
        "report": "The distributor's report of its allocation, relative to the community file.",
        "report_profile": "How to read the report: a profile that ships, or a TOML file; left out, it is found.",
        "incentive": "What a public body pays for shared energy, beside the tariff of every meter.",
    },
    "SharingCircle": {
        "name": "What people call it.",
        "members": "Ids of its members.",
        "parts_ppm": "Part of a member's meter that counts here, by id; all of it where nothing is said [millionths].",
        "shares_ppm": "Shares of its members by a static key, in place of their own, by id [millionths].",
        "keys": "Keys in turn, as in sharing.keys.",
        "price_micro_per_kwh": "Price of energy shared here; left out, that of sharing [µ¤/kWh].",
        "fee_ppm": "Part of the network fee that energy shared here bears; left out, that of sharing [millionths].",
    },
    "Incentive": {
        "price_micro_per_kwh": "Fixed part, for each shared kWh [µ¤/kWh].",
        "column": "Column of data.environment with the market's price that the incentive follows.",
        "reference_micro_per_kwh": "Market price below which the incentive rises by what that is lower [µ¤/kWh].",
        "most_micro_per_kwh": "Most that it rises by [µ¤/kWh].",
        "producers_ppm": "Part that producers get, by what each gave [millionths].",
        "users_ppm": "Part that users get, by what each used; the community has the rest [millionths].",
    },
}
