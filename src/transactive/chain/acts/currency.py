"""Acts on the currency: what a wallet, the on-ramp and the owner do."""

from __future__ import annotations

from transactive.chain.acts.act import OFF, ON, Act, Group, Take, ownership

AMOUNT = Take("amount", "money", "Money in the community's currency, up to nine decimals, as in 12.50.")
TO = Take("to", "address", "Account's name, contract's name or address that gets it.")
CONTRACT = Take("spender", "address", "Contract's name, as in settlement, account's name or address.", "settlement")
FROM = Take("sender", "address", "Account's name or address whose wallet pays.")

MONEY = Group(
    "money",
    "The currency itself: wallets, before money is paid in and after it was paid out.",
    (
        Act("transfer", "account", "currency", "transfer", "Pay from your wallet.", "the money is there", (TO, AMOUNT)),
        Act(
            "transfer-from",
            "anybody",
            "currency",
            "transferFrom",
            "Pay from another's wallet, as its holder allowed.",
            "the money is there, and the allowance less",
            (FROM, TO, AMOUNT),
        ),
        Act(
            "approve",
            "account",
            "currency",
            "approve",
            "Allow a contract or account to take money from your wallet.",
            "up to this amount can be taken",
            (CONTRACT, AMOUNT),
        ),
        Act(
            "permit",
            "anybody",
            "currency",
            "permit",
            "Bring a holder's signed allowance, so that it needs no gas.",
            "up to this amount can be taken",
            (
                Take("holder", "address", "Account's name: its key signs, another may bring it."),
                CONTRACT,
                AMOUNT,
                Take("until", "permit", "Last second of the signature, RFC 3339; without it an hour from now.", ""),
            ),
        ),
        Act(
            "mint", "on-ramp", "currency", "mint", "Create money that was paid for.", "the money is there", (TO, AMOUNT)
        ),
        Act("burn", "account", "currency", "burn", "Destroy money of your wallet.", "it is gone for ever", (AMOUNT,)),
        Act(
            "allow-minter",
            "owner",
            "currency",
            "setMinter",
            "Let an address create money.",
            "it can create money up to the cap",
            (Take("address", "address", "Address of the on-ramp."), ON),
        ),
        Act(
            "stop-minter",
            "owner",
            "currency",
            "setMinter",
            "Let an address create no more money.",
            "it can create none any more",
            (Take("address", "address", "Address of the on-ramp."), OFF),
        ),
        *ownership("currency", "the currency"),
    ),
)
