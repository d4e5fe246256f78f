"""Acts on certificates as tokens, and on carbon credits."""

from __future__ import annotations

from transactive.chain.acts.act import OFF, ON, Act, Group, Take, ownership

ID = Take("token", "number", "Number of the token, as `chain exit` and `chain events` show it.")
WH = Take("energy", "number", "Energy [Wh].")
TO = Take("to", "address", "Account's name or address that gets it.")
FROM = Take("sender", "address", "Account's name or address that has it.")
SPENDER = Take("spender", "address", "Account's name or address.")
MEMBER = Take("member", "index", "Member whose slot it is.")
SLOT = Take("slot", "slot number", "Start of the slot, RFC 3339.")
BATCH = Take("batch", "number", "Number of the batch.")
KG = Take("kg", "number", "Amount [kg CO2e].")
PROJECT = Take("project", "project", "Name of the project, or its hash as 0x-hex.")


def _held(contract: str, ident: Take, amount: Take) -> tuple[Act, ...]:
    """What holders of tokens of ERC-6909 can do."""
    return (
        Act("transfer", "account", contract, "transfer", "Send what you hold.", "it is there", (TO, ident, amount)),
        Act(
            "transfer-from",
            "anybody",
            contract,
            "transferFrom",
            "Send what another holds, as it allowed.",
            "it is there",
            (FROM, TO, ident, amount),
        ),
        Act(
            "approve",
            "account",
            contract,
            "approve",
            "Allow somebody to send some of what you hold.",
            "up to this amount can be sent",
            (SPENDER, ident, amount),
        ),
        Act(
            "allow-agent",
            "account",
            contract,
            "setOperator",
            "Allow somebody to send all that you hold.",
            "it can send all",
            (SPENDER, ON),
        ),
        Act(
            "stop-agent",
            "account",
            contract,
            "setOperator",
            "Take such a permission back.",
            "it can send nothing any more",
            (SPENDER, OFF),
        ),
    )


TOKENS = Group(
    "tokens",
    "Certificates that are tokens: those that left (`chain exit`), or were issued directly.",
    (
        *_held("certificates", ID, WH),
        Act(
            "collect",
            "anybody",
            "certificates",
            "collect",
            "Give an account the certificates that waited until it was registered.",
            "they are there",
            (ID, Take("owner", "number", "Place of the account in the settlement.")),
        ),
        Act("enrol", "anybody", "certificates", "enrol", "Note all accounts, before direct issues.", "they are noted"),
        Act(
            "issue",
            "anybody",
            "certificates",
            "issue",
            "Issue a slot's certificates from readings that the gateway signs, in a deployment made with --direct.",
            "each producer has its certificates",
            (
                SLOT,
                Take(
                    "readings",
                    "registers",
                    "CSV file with the columns member, import, export, generation, charge and discharge [Wh].",
                ),
                Take("accounts", "enrolled", "How many accounts were enrolled; without it all that there are.", ""),
                Take("spared", "spared", "Members that get none, joined by commas: theirs can become credits.", ""),
            ),
        ),
        Act(
            "claim",
            "account",
            "certificates",
            "claim",
            "Use your certificates up against what you consumed in their slots.",
            "they are used up, in these words",
            (
                Take("member", "index", "Member whose consumption it is."),
                Take("words", "words", "For whom and for what; the chain keeps their hash."),
                Take("tokens", "numbers", "Numbers of the tokens, joined by commas."),
                Take("energies", "numbers", "Energy of each [Wh], joined by commas."),
            ),
        ),
        Act(
            "withdraw",
            "account",
            "certificates",
            "withdraw",
            "Take certificates out for ever, without a claim.",
            "they are gone from here",
            (ID, WH, Take("words", "words", "Where they go on; the chain keeps the hash of it.")),
        ),
        Act(
            "revoke-reading",
            "gateway",
            "certificates",
            "revoke",
            "Take back a reading of a direct issue that was wrong.",
            "what is left of its certificates moves no more",
            (SLOT, MEMBER),
        ),
        Act(
            "set-credits",
            "owner",
            "certificates",
            "setCredits",
            "Name the contract of avoided-emission credits, once.",
            "a Wh gives a certificate or a credit, never both",
            (Take("address", "address", "Address, or carbon_credits for the deployment's own.", "carbon_credits"),),
        ),
        Act(
            "set-zones",
            "owner",
            "certificates",
            "setZones",
            "Say in which zones 32 members are.",
            "their certificates carry these zones from now on",
            (
                Take("first", "number", "Number of the word: members 32 times it, and the 31 after."),
                Take("zones", "number", "Their zones, eight bits each, as one number."),
            ),
        ),
        Act(
            "set-reach",
            "owner",
            "certificates",
            "setReach",
            "Say where the energy of a zone can be claimed, beside itself.",
            "it can be claimed there",
            (Take("zone", "number", "The zone."), Take("zones", "number", "Bitmap of zones, as one number.")),
        ),
    ),
)

CREDITS = Group(
    "credit",
    "Carbon credits as tokens, for auditors, holders and the owner.",
    (
        *_held("carbon_credits", BATCH, KG),
        Act(
            "register-project",
            "owner",
            "carbon_credits",
            "registerProject",
            "Name a project that avoids emissions, and its auditor, once.",
            "the auditor can issue credits",
            (
                PROJECT,
                Take("auditor", "address", "Address of the auditor, or an account's name."),
                OFF,
                Take("description", "text", "Methodology and jurisdiction, in at most 160 bytes."),
            ),
        ),
        Act(
            "register-removal",
            "owner",
            "carbon_credits",
            "registerProject",
            "Name a project that removes carbon, and its auditor, once.",
            "the auditor can issue credits",
            (
                PROJECT,
                Take("auditor", "address", "Address of the auditor, or an account's name."),
                ON,
                Take("description", "text", "Methodology and jurisdiction, in at most 160 bytes."),
            ),
        ),
        Act(
            "issue",
            "anybody",
            "carbon_credits",
            "issue",
            "Auditor: issue credits, less the buffer's part.",
            "the credits are there",
            (
                PROJECT,
                Take("vintage", "number", "Year."),
                Take("serial", "project", "Serial of the outside registry; used once, for ever."),
                KG,
                TO,
            ),
        ),
        Act(
            "issue-avoided",
            "anybody",
            "carbon_credits",
            "issueAvoided",
            "Auditor: issue credits for what a member's devices avoided in slots that then give no certificates.",
            "the credits are there",
            (
                PROJECT,
                Take("vintage", "number", "Year."),
                Take("serial", "project", "Serial of the outside registry; used once, for ever."),
                KG,
                TO,
                MEMBER,
                Take("slots", "slot numbers", "Starts of the slots, RFC 3339, joined by commas."),
            ),
        ),
        Act(
            "retire",
            "account",
            "carbon_credits",
            "retire",
            "Use credits up for ever.",
            "they are used up, and the receipt is on chain",
            (
                BATCH,
                KG,
                Take("beneficiary", "text", "In whose name."),
                Take("reason", "text", "What for."),
                Take("period", "text", "For which time."),
            ),
        ),
        Act(
            "reverse",
            "anybody",
            "carbon_credits",
            "reverse",
            "Auditor: say that what a batch stands for did not last; the buffer makes good for it.",
            "the buffer is smaller",
            (BATCH, KG, Take("others", "numbers", "Batches whose buffers follow, joined by commas.", "")),
        ),
        Act(
            "set-certificates",
            "owner",
            "carbon_credits",
            "setCertificates",
            "Name the contract of this community's certificates, once.",
            "a Wh gives a certificate or a credit, never both",
            (Take("address", "address", "Address, or certificates for the deployment's own.", "certificates"),),
        ),
        *ownership("carbon_credits", "the credits"),
    ),
)
