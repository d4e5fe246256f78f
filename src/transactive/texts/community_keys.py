"""What each key of a community file means, for the schema that editors read and for the reference.

By record and key; a test holds that every key is described and that none is unknown.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import fields

from transactive.core.community.changes.records import (
    AccountChange,
    LevyChange,
    MemberChange,
    SharingChange,
    TariffChange,
)
from transactive.texts.carbon_keys import CARBON_KEYS
from transactive.texts.price_keys import PRICE_KEYS

KEYS: dict[str, dict[str, str]] = {
    "Community": {
        "name": "Name of the community, shown to people.",
        "currency": "Currency of every price and account: three capital letters, such as EUR.",
        "market": "How slots clear.",
        "tariff": "Prices of the supplier and the network.",
        "accounts": "How accounts are funded.",
        "carbon": "Emission factors, certificates, levy, offsets.",
        "chain": "How settlement is committed.",
        "data": "Files of measured data.",
        "run": "Which slots to run.",
        "store": "Where a run keeps its state, on this machine; no part of the community.",
        "forecast": "Who forecasts.",
        "forecasters": "Who submits forecasts of what all use together; the forecast.model `pool` hears them.",
        "detection": "Search for theft and faults.",
        "privacy": "What homes are asked for, how long data are kept, how soon complaints are answered.",
        "trading": "Who trades for members.",
        "network": "Nodes and lines between members.",
        "grid": "How the lines of the network are operated.",
        "sharing": 'How energy is shared by keys, with market.mechanism = "sharing".',
        "direct": 'How members trade directly with each other, with market.mechanism = "direct".',
        "billing": "How members are billed; left out, `transactive bill` makes no papers.",
        "members": "The members, each with its devices.",
        "from": "What is otherwise from a slot on, block by block; what came before stays as it was.",
    },
    "RulesChange": {
        "slot": "First slot of the new rules, RFC 3339; it lies after what is settled.",
        "tariff": "Prices that change.",
        "sharing": "Keys of sharing, or their price, that change.",
        "accounts": "Bounds of top-ups that change.",
        "carbon": "What changes of carbon: the levy.",
        "members": "What changes for members, by id.",
    },
    "CarbonChange": {"levy": "Mode and prices of the levy that change."},
    "MarketRules": {
        "mechanism": (
            "Name of the market mechanism, as installed: uniform, pay_as_bid, continuous, listings, "
            "preferences, balance, locational, direct, or one of a plug-in; or sharing, where keys decide in place of a"
            " market."
        ),
        "slot_minutes": "Length of a slot [min]: 5, 15, 30 or 60; the readings must have the same.",
        "gate_closure_minutes": "Orders are final this long before delivery [min].",
        "slots_per_period": "Slots in a settlement period; a period is netted and paid at its end.",
        "sessions": (
            "Sessions that trade each slot. `day_ahead` trades all slots of a period at once, `intraday` each "
            "at its gate."
        ),
        "day_ahead_gate_minutes": "Gate closure of the day-ahead session, before the first slot of the period [min].",
        "tick_micro_per_kwh": "Step of the price grid [µ¤/kWh].",
    },
    "DirectRules": {
        "rounds": "Rounds of negotiation for each slot; each trades what the one before left.",
        "rest": "What becomes of orders that nobody dealt with: one more `auction`, or the `supplier` alone.",
        "sealed_below": "With fewer members that trade a slot, all commit to their curves before any is shown.",
        "seed": "Seed of the chance of the network that a run on recorded data simulates.",
        "loss_ppm": "Datagrams that the simulated network loses [millionths].",
        "most_delay_ticks": "Ticks that a datagram takes at most there; a tick is the time to ask somebody once.",
        "cut_rounds": "First rounds of each slot in which one half of the members hears nothing of the other half.",
    },
    "AccountRules": {
        "opening_n": "Balance of a member's account at the start [n¤].",
        "top_up_below_n": "An account below this at the start of a period is topped up [n¤].",
        "top_up_to_n": "Balance after a top-up [n¤].",
    },
    "ChainRules": {
        "challenge_window_minutes": "How long a netting can be challenged before it pays [min].",
        "members_per_group": "Most members that settle together on chain; more settle in groups of members that follow"
        " each other in the file. Left out, groups begin beyond 4,095 accounts.",
    },
    "Sources": {
        "readings": "Meter readings, relative to the community file: an export of any kind, or a folder with one a"
        " meter.",
        "profile": "How to read the readings: name of a profile that ships, or a TOML file; left out, it is found.",
        "zone": "Time zone of readings without one, such as Europe/Vienna, or +01:00 all the year.",
        "unit": "Unit of readings whose columns do not say it: Wh, kWh, MWh, W or kW.",
        "register": "What one column without a name counts: import, export, net, consumption or generation.",
        "stamp": "Which end of its slot a time of the readings names, where they do not tell: start or end.",
        "reading": "What the numbers are: energy of the slot, mean power in it, or total of a register that counts on.",
        "order": "Order of day, month and year where the dates do not tell: dmy, mdy or ymd.",
        "exchanged": "A register that falls was exchanged or set back; the slot in which it does is a gap.",
        "gaps": (
            "What is done about a missing reading: refuse the file; substitute it by the mean of the same time on the"
            " three days before, flagged as substituted; or take it as late: settled as traded, and by the difference"
            " once the file has it."
        ),
        "doubtful": (
            "What is done about a reading that nobody would believe, such as a fault code or another unit: hold it and"
            " bill a substitute until somebody answers, or bill it."
        ),
        "answers": "CSV of what somebody answered about held readings; `transactive readings` writes it.",
        "answer_days": "Days for an answer; after them the substitute stays.",
        "close_days": "Days that a slot waits for a late reading; then what its member sold was not delivered.",
        "environment": "CSV or Parquet of prices, grid carbon and weather for each slot.",
        "feeder": "CSV or Parquet of the energy at the transformer of all members, net of their batteries.",
        "ignore": "Members of the readings that do not take part.",
    },
    "GridRules": {
        "manage": "Keep lines within their limits; false only watches them.",
        "risk_ppm": (
            "A line gets a price when its forecast probability of passing its limit is above this [millionths]."
        ),
        "most_call_micro_per_kwh": "Highest price that the network pays for energy moved [µ¤/kWh].",
        "compensation_micro_per_kwh": (
            "What the network pays for PV held back [µ¤/kWh]; left out, supply price less network fee of the slot."
        ),
    },
    "RunRules": {
        "first_slot": (
            "First slot to run, RFC 3339; earlier readings are history for forecasts. Left out, the second "
            "day of the readings."
        ),
        "days": "Days to run; left out, to the end of the readings.",
    },
    "StorageRules": {
        "url": "Database of PostgreSQL, `postgresql://user@host:5432/database`; left out, a file in the state folder.",
    },
    "ForecastRules": {
        "model": (
            "Forecaster of orders and battery plans; `auto` takes the one that cost its members least before the run."
        ),
        "maintain": "`weekly` trains, tests, promotes and monitors models; `off` uses `model` alone, untested.",
        "challengers": "Forecasters trained for what members are told of the coming day.",
    },
    "ForecasterRules": {
        "name": "Name among the forecasters.",
        "account": (
            "Member that is paid for what the forecasts save; one with a meter forecasts the total without it. Left"
            " out, they are heard and scored, and not paid."
        ),
        "file": (
            "CSV or Parquet of what was submitted, for a run on recorded data: `slot_start` and `q05_wh` to `q95_wh`."
        ),
    },
    "PrivacyRules": {
        "ask": "What others see of a home only if it agrees: forecasts, detection; left out, it is asked for nothing.",
        "keep": "How long kinds of data are kept.",
        "answer_days": "Days within which the operator answers a complaint.",
    },
    "KeepRules": {
        "forecasts_days": "Days that forecasts are kept, 60 at least; left out, as long as the run.",
        "plans_days": "Days that plans of batteries are kept; left out, as long as the run.",
        "findings_days": "Days that closed findings are kept; left out, as long as the run.",
        "notes_days": "Days that notes on findings are kept; left out, as long as the run.",
        "complaints_days": "Days that complaints are kept once they have ended; left out, as long as the run.",
    },
    "TradingRules": {
        "agent": "Agent of every member that names none: curves, truthful, zic, zip, or one of a plug-in.",
        "plans": "What batteries reckon with: their own home, or what neighbours lack and can spare, too.",
    },
    "DetectionRules": {
        "watch": "Search each day's readings for theft and faults.",
        "hold": (
            "Kinds of findings that hold back what a member earns, from when an operator acknowledges one with a reason"
            " until it is closed."
        ),
        "hold_confidence_ppm": "Least confidence of a finding that holds back money [millionths].",
    },
    "Member": {
        "id": "Identifier, as in the readings: letters, digits, `_`, `.`, `-`, at most 64; a metering point will do.",
        "name": "Name for people, free text; left out, the id.",
        "role": "`forecaster`: an account that is only paid for forecasts, without meter, trade, vote or dividend.",
        "since": "First slot of the membership, RFC 3339; left out, from the beginning. Earlier readings are not read.",
        "until": "End of the membership, RFC 3339; left out, it does not end.",
        "meters": "Names of its meters in the readings, which are added up; left out, its id.",
        "meter_parts_ppm": (
            'Meters that it has together with others, and its part of each [millionths]: `{ "AT001" = "60 %" }`. '
            "The parts of a meter make a whole."
        ),
        "tariff_group": "Group of `tariff.groups` whose prices are its own.",
        "supply_micro_per_kwh": (
            "Supplier's price for what this member takes [µ¤/kWh]: a number, by hour, or a rule with times; left out, "
            "its group's or the common one."
        ),
        "feed_in_micro_per_kwh": "Supplier's price for its surplus [µ¤/kWh], in the same forms.",
        "network_fee_micro_per_kwh": "Network fee for energy that it uses of neighbours [µ¤/kWh], in the same forms.",
        "share_ppm": "Part of what neighbours give, by a static key of sharing [millionths].",
        "owners_ppm": (
            'Parts of what this plant earns [millionths], by owner: `{ anna = "60 %", community = "40 %" }`. '
            "They are paid in each slot; `community` goes to the dividend of all."
        ),
        "pv_w": "Rated power of the PV [W].",
        "battery_wh": "Usable capacity of the battery [Wh].",
        "battery_w": "Power of the battery, each way [W].",
        "battery_efficiency_ppm": "Round-trip efficiency of the battery [millionths].",
        "battery_initial_wh": "Charged energy in the battery before the run [Wh]; no certificate tells of it.",
        "battery_reserve_wh": "Charged energy that stays for the home, as for a power cut [Wh]; it is filled first.",
        "battery_from_grid": "Whether the battery may charge from the grid; with `false` from the own surplus only.",
        "battery_to_grid": "Whether the battery may give to the grid; with `false` it serves its own home only.",
        "carbon_price_per_t": (
            "What a tonne of CO2e avoided is worth to the member [¤/t]; batteries and orders weigh it."
        ),
        "devices": "Loads that can wait: vehicles, heaters, appliances.",
        "connection_w": "Limit of the connection for import [W]; no device goes beyond.",
        "agent": "Agent that trades for the member; left out, that of the community.",
        "never_pay_above_micro_per_kwh": "No buy order bids more [µ¤/kWh], network fee excluded.",
        "sell_only_above_micro_per_kwh": "No sell order asks less [µ¤/kWh].",
        "pause_from": "No orders for slots from here on, RFC 3339; left out, from the beginning.",
        "pause_to": "End of the pause, RFC 3339; left out, it does not end.",
        "node": "Node of the network where the member is connected.",
        "neighbourhood": "Its neighbourhood for tariff.near_fee: who shares a line, a transformer or a municipality.",
        "zone": "Zone of the member, for local energy and for certificates.",
        "prefer": "Whose energy comes first, under the mechanism `preferences`.",
        "partner": 'Member whose energy comes first, with prefer = "partner".',
        "premium_micro_per_kwh": "Highest premium above the uniform price for preferred energy [µ¤/kWh].",
        "offset": "What of its residual carbon the member offsets.",
        "credits": "`avoided`: its PV earns avoided-emission credits in place of certificates.",
        "generator": "Attributes of its PV on certificates.",
        "battery_allocation": "Which stored energy leaves first; fixed for the life of the battery.",
        "certificates": "What the member does with certificates.",
    },
    "Line": {
        "from": "Node nearer to the grid.",
        "to": "Node farther from the grid.",
        "limit_wh": "Most energy that may enter the line in a slot from `from` to `to` [Wh].",
        "limit_back_wh": "The same the other way [Wh]; left out, the same limit.",
        "loss_ppm": "Part of the entering energy that is lost, whatever the flow [millionths].",
        "loss_at_limit_ppm": (
            "Part that is lost at a flow of `limit_wh` [millionths]; of smaller flows less, as a resistance loses."
        ),
        "reactance": "Reactance in any unit, for all lines or none; it divides flows in a ring.",
        "transformer": "Draw the line as a transformer.",
    },
    "NetworkRules": {
        "nodes": "Names of the nodes; the first is the grid's side.",
        "lines": "Lines between nodes.",
        "pandapower": "Network file of pandapower, in place of nodes and lines.",
        "power_factor_ppm": (
            "Active part of the apparent power that flows [millionths]; losses by flow grow by its square. Left out, 1."
        ),
    },
    "Vehicle": {
        "kind": "An electric vehicle that is at home from `arrives` to `leaves` each day.",
        "power_w": "Highest charging power [W].",
        "zone": "Time zone of its times of day and days, as in `Europe/Vienna`; left out, UTC.",
        "arrives": "Time of day when it is plugged in, HH:MM.",
        "leaves": "Time of day when it leaves, HH:MM.",
        "needed_wh": "Energy that a day's drive takes from its battery [Wh]; it holds this when it leaves.",
        "efficiency_ppm": "Charging efficiency [millionths].",
        "days": "Days on which it leaves, as in `Mo-Fr` or `Mo,We,Sa-Su`; on others it stays. Left out, all.",
        "best_effort": "With `true` it takes what it can get at home; what it lacks is no error and not owed.",
        "starts_wh": "Energy that it holds before the run [Wh]; left out, what it needs.",
    },
    "Heater": {
        "kind": "A heat pump or a boiler that may store heat between two comfortable temperatures.",
        "power_w": "Highest electrical power [W].",
        "zone": "Time zone of the hours of `drain_wh`; left out, UTC.",
        "performance_ppm": "Heat for a Wh of electricity [millionths]: three million is a COP of 3.",
        "band_wh": "Heat between the lowest and the highest comfortable temperature [Wh].",
        "drain_wh": "Heat that use and weather take in each hour of the day [Wh]: 24 numbers from midnight.",
        "loses_ppm": "Part of the stored heat that is lost in an hour [millionths].",
    },
    "Appliance": {
        "kind": "An appliance that runs once a day.",
        "power_w": "Electrical power while it runs [W].",
        "zone": "Time zone of its times of day; left out, UTC.",
        "earliest": "Earliest start, a time of day, HH:MM.",
        "latest": "Latest end, a time of day, HH:MM.",
        "runs_minutes": "How long it runs [min].",
    },
}
CHANGES: dict[str, tuple[type[Struct], str]] = {
    "TariffChange": (TariffChange, "TariffRules"),
    "SharingChange": (SharingChange, "SharingRules"),
    "AccountChange": (AccountChange, "AccountRules"),
    "LevyChange": (LevyChange, "LevyRules"),
    "MemberChange": (MemberChange, "Member"),
}
"""What a block of changes holds, and the record whose keys it has; each key means the same in both."""
KEYS |= PRICE_KEYS | CARBON_KEYS
KEYS |= {
    name: {field.encode_name: KEYS[of][field.encode_name] for field in fields(record)}
    for name, (record, of) in CHANGES.items()
}
