"""Acts on the market contracts: the board of listed trades, and the balance market."""

from __future__ import annotations

from transactive.chain.acts.act import OFF, ON, Act, By, Fixed, Group, Take

SLOT = Take("slot", "slot", "Start of the slot, RFC 3339.")
ENERGY = Take("energy", "number", "Energy [Wh].")
PRICE = Take("price", "price", "Price per kWh in the community's currency, as in 0.28.")
UNTIL = Take("until", "time", "Until when it can be taken, RFC 3339; without it until the slot's gate.", "")
TRADE = Take("trade", "number", "Number of the trade.")
REQUEST = Take("request", "number", "Number of the request.")
TOTAL = Take("total", "total", "Price times energy, exactly, in the community's currency.")
AMOUNT = Take("amount", "money", "Money in the community's currency, up to nine decimals, as in 12.50.")
LEAST = Take("least", "number", "Least energy [Wh].")
MOST = Take("most", "number", "Most energy [Wh].")


def _readings(contract: str) -> tuple[Act, ...]:
    """How readings reach a market contract, and how it is paused."""
    read = (
        SLOT,
        Take("meter", "number", "Number of the meter in the registry."),
        Take("exported", "number", "Energy that the meter's owner gave in the slot [Wh]."),
        Take("imported", "number", "Energy that it took [Wh]."),
        Take("signed-by", "meter signature", "Name of the meter's key, or its signature as 0x-hex."),
    )
    stated = Take("readings", "readings", "Meter:exported:imported [Wh], joined by commas, as in 0:800:0,3:0:120.")
    return (
        Act("certify", "anybody", contract, "certify", "Bring a reading that a meter signed.", "it counts", read),
        Act(
            "state-readings",
            "operator",
            contract,
            "certifyBatch",
            "State readings; a meter's own signature replaces them.",
            "they count unless the meter signs others",
            (SLOT, stated),
        ),
        _act(contract, "pause", "owner", "setPaused", "Stop whatever begins something.", "nothing begins", ON),
        _act(contract, "resume", "owner", "setPaused", "Let everything begin again.", "all goes on", OFF),
    )


def _act(contract: str, name: str, by: By, function: str, does: str, then: str, *takes: Take | Fixed) -> Act:
    return Act(name, by, contract, function, does, then, takes)


def _board(name: str, by: By, function: str, does: str, then: str, *takes: Take) -> Act:
    return Act(name, by, "trade_board", function, does, then, takes)


BOARD = Group(
    "board",
    "The trade board: energy listed and asked for at fixed prices.",
    (
        _board(
            "price", "account", "setEnergyPrice", "Set your standing price.", "what you offer next costs this", PRICE
        ),
        _board(
            "offer",
            "account",
            "setEnergyAvailable",
            "Offer energy of a slot at your standing price.",
            "so much can be bought; none takes all back",
            SLOT,
            ENERGY,
        ),
        _board(
            "list",
            "account",
            "addAvailableTrade",
            "List energy of a slot at a price of its own.",
            "it can be bought",
            SLOT,
            ENERGY,
            PRICE,
            UNTIL,
        ),
        _board("unlist", "account", "cancelTrade", "Take back what was not sold of a listing.", "it is gone", TRADE),
        Act(
            "buy",
            "account",
            "trade_board",
            "buyEnergy",
            "Buy listed energy, in whole or in part; approve the total before, with `chain money approve`.",
            "the money waits until the delivery is certified",
            (TRADE, ENERGY, TOTAL),
        ),
        Act(
            "request",
            "account",
            "trade_board",
            "requestEnergy",
            "Ask for energy at a price and put its money in escrow; approve it before, with `chain money approve`.",
            "producers can answer it",
            (SLOT, ENERGY, PRICE, UNTIL),
        ),
        _board("answer", "account", "sellEnergy", "Sell to a request.", "you owe this energy", REQUEST, ENERGY),
        _board("unrequest", "account", "cancelRequest", "End your request.", "the rest is your credit", REQUEST),
        _board(
            "settle",
            "anybody",
            "settle",
            "Pay for what was delivered, after the window of the slot.",
            "sellers have their pay, buyers what they did not get",
            TRADE,
            Take("buyers", "numbers", "Numbers of buyers in the registry, joined by commas."),
        ),
        _board("withdraw", "account", "withdraw", "Take out your credit.", "it is in your wallet", AMOUNT),
        *_readings("trade_board"),
    ),
)


def _market(name: str, by: By, function: str, does: str, then: str, *takes: Take) -> Act:
    return Act(name, by, "balance_market", function, does, then, takes)


def _price(name: str, means: str) -> Take:
    return Take(name, "price", f"{means}, per kWh in the community's currency, as in 0.28.")


MARKET = Group(
    "market",
    "The balance market: its price falls with surplus and rises with deficit.",
    (
        _market("deposit", "account", "deposit", "Pay in; approve it before.", "it backs your orders", AMOUNT),
        _market("withdraw", "account", "withdraw", "Take out what backs no order.", "it is in your wallet", AMOUNT),
        _market("fund", "anybody", "fund", "Give the network's pool money.", "slots can be backed with it", AMOUNT),
        _market("defund", "operator", "defund", "Take money of the pool that backs no slot.", "it left", AMOUNT),
        _market(
            "open",
            "operator",
            "openSlot",
            "Open a slot at prices that stay as they are.",
            "members can order",
            SLOT,
            _price("base", "Price in balance"),
            _price("floor", "Lowest price"),
            _price("cap", "Highest price"),
            Take("scale", "number", "Surplus or deficit at which floor or cap are reached [Wh]."),
            Take("most", "number", "Most that is promised on each side [Wh]."),
        ),
        _market(
            "produce",
            "account",
            "produce",
            "Promise to deliver energy in a slot.",
            "what you do not deliver costs the cap",
            SLOT,
            LEAST,
            MOST,
            Take("in-all", "total", "Least that the most energy brings, in the community's currency.", "0"),
        ),
        _market(
            "consume",
            "account",
            "consume",
            "Buy energy of a slot.",
            "what you do not use brings the floor",
            SLOT,
            LEAST,
            MOST,
            Take("in-all", "limit", "Most that the most energy costs, in the community's currency.", "none"),
        ),
        _market("cancel", "account", "cancel", "Take a promise back before the gate.", "it is gone", SLOT, ENERGY),
        _market(
            "settle",
            "anybody",
            "settle",
            "End positions of a slot after its window.",
            "who delivered or used is paid or has paid",
            SLOT,
            Take("members", "numbers", "Numbers of members in the registry, joined by commas; none closes a slot.", ""),
        ),
        *_readings("balance_market"),
    ),
)
