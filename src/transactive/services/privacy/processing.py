"""The record of processing: each kind of personal data, what for, where it is, who sees it, how long, and how it ends.

Article 30 of the GDPR asks whoever runs a community for such a record. This is the program's part: what the program
does. Who answers for it, and on which ground of law, the operator adds.
"""

from __future__ import annotations

import msgspec


class ProcessingKind(msgspec.Struct, frozen=True):
    """A kind of data. place: files and tables of a state folder. ends: when it goes, or why it stays."""

    name: str
    purpose: str
    place: str
    seen_by: str
    ends: str


PROCESSING = (
    ProcessingKind(
        "Readings of the meter, slot by slot",
        "settle what was delivered, certify energy, forecast, find faults",
        "market.sqlite: readings, qualities, corrections; market.journal of a live market",
        "the member; operator and auditor, each look logged; the grid operator in groups of homes only",
        "stays with the run: it is the evidence for money that moved. After erasure no name leads to it",
    ),
    ProcessingKind(
        "Orders, trades, postings, certificates",
        "clear the market, bill, prove it on chain",
        "market.sqlite: orders, positions, postings, certificates, signatures",
        "the member; operator and auditor",
        "stays with the run. The chain holds hashes, addresses and amounts, no names",
    ),
    ProcessingKind(
        "Forecasts, plans, what members are told, findings",
        "trade for the home, advise it, find faults of meters",
        "market.sqlite: forecasts, advice, items; models/",
        "the member; operator and auditor",
        "advice is of the newest day only; forecasts and findings stay with the run, without a name after erasure",
    ),
    ProcessingKind(
        "What members allow and order by hand",
        "keep to their limits; proof that they gave them",
        "market.sqlite: acts, grants; drafts.json; decisions.jsonl",
        "the member; operator and auditor",
        "acts stay, as signatures of an account; who had signed in is blanked by erasure, drafts go after 90 days",
    ),
    ProcessingKind(
        "Name of a home",
        "people recognise themselves",
        "community.toml; market.sqlite: settings",
        "the member; operator and auditor",
        "erasure takes it out of the state, and again after a restore; the community file is the operator's to change",
    ),
    ProcessingKind(
        "Address, account at a bank, tax number",
        "bills and payments",
        "parties.json; bills.sqlite",
        "the operator; the member its own",
        "erasure; papers that tax law keeps stay apart until their date (`transactive bill erase --keep-years`)",
    ),
    ProcessingKind(
        "Accounts, passkeys, sessions, tokens",
        "sign in",
        "accounts.json, tokens.json, tokens-used.json; passwords and tokens as hashes only",
        "the person; the operator sees names",
        "erasure; sessions after 30 days, invitations after 14",
    ),
    ProcessingKind(
        "E-mail address or webhook, and what was told there",
        "tell people what they chose to be told",
        "notices.json",
        "the person alone",
        "until the person empties the field; erasure",
    ),
    ProcessingKind(
        "Notes on findings",
        "people agree what a finding was",
        "finding-notes.jsonl",
        "the member, the operator",
        "erasure blanks those on the member's findings, and names of its accounts",
    ),
    ProcessingKind(
        "Who looked at a home, what assistants asked",
        "the member sees who looks at its readings",
        "looks.jsonl, assistants.jsonl",
        "the member, the operator",
        "after a year, requests of a long day but the first and last sooner; erasure removes the member's",
    ),
)
