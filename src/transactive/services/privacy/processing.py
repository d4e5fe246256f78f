"""The record of processing: each kind of personal data, what for, where it is, who sees it, how long, and how it ends.

Article 30 of the GDPR asks whoever runs a community for such a record. This is the program's part: what the program
does. Who answers for it, and on which ground of law, the operator adds.
"""

from __future__ import annotations

import msgspec

from transactive.texts.language import N_


class ProcessingKind(msgspec.Struct, frozen=True):
    """A kind of data. place: files and tables of a state folder. ends: when it goes, or why it stays."""

    name: str
    purpose: str
    place: str
    seen_by: str
    ends: str


PROCESSING = (
    ProcessingKind(
        N_("Readings of the meter, slot by slot"),
        N_("settle what was delivered, certify energy, forecast, find faults"),
        "market.sqlite: readings, qualities, corrections; market.journal of a live market",
        N_("the member; operator and auditor, each look logged; the grid operator in groups of homes only"),
        N_("stays with the run: it is the evidence for money that moved. After erasure no name leads to it"),
    ),
    ProcessingKind(
        N_("Orders, trades, postings, certificates"),
        N_("clear the market, bill, prove it on chain"),
        "market.sqlite: orders, positions, postings, certificates, signatures; deals.jsonl",
        N_("the member; operator and auditor"),
        N_("stays with the run. The chain holds hashes, addresses and amounts, no names"),
    ),
    ProcessingKind(
        N_("Forecasts, plans, what members are told, findings"),
        N_("trade for the home, advise it, find faults of meters"),
        "market.sqlite: forecasts, advice, items; models/",
        N_("the member; operator and auditor"),
        N_(
            "advice is of the newest day only; the others as long as `privacy.keep` says, or with the run, without a"
            " name after erasure"
        ),
    ),
    ProcessingKind(
        N_("What members allow and order by hand"),
        N_("keep to their limits; proof that they gave them"),
        "market.sqlite: acts, grants; drafts.json; decisions.jsonl",
        N_("the member; operator and auditor"),
        N_("acts stay, as signatures of an account; who had signed in is blanked by erasure, drafts go after 90 days"),
    ),
    ProcessingKind(
        N_("Name of a home"),
        N_("people recognise themselves"),
        "community.toml; market.sqlite: settings",
        N_("the member; operator and auditor"),
        N_(
            "erasure takes it out of the state, and again after a restore; the community file is the operator's to"
            " change"
        ),
    ),
    ProcessingKind(
        N_("Address, account at a bank, tax number"),
        N_("bills and payments"),
        "parties.json; bills.sqlite",
        N_("the operator; the member its own"),
        N_("erasure; papers that tax law keeps stay apart until their date (`transactive bill erase --keep-years`)"),
    ),
    ProcessingKind(
        N_("Accounts, passkeys, sessions, tokens"),
        N_("sign in"),
        "accounts.json, tokens.json, tokens-used.json; passwords and tokens as hashes only",
        N_("the person; the operator sees names"),
        N_("erasure; sessions after 30 days, invitations after 14"),
    ),
    ProcessingKind(
        N_("E-mail address or webhook, and what was told there"),
        N_("tell people what they chose to be told"),
        "notices.json",
        N_("the person alone"),
        N_("until the person empties the field; erasure"),
    ),
    ProcessingKind(
        N_("Notes on findings"),
        N_("people agree what a finding was"),
        "finding-notes.jsonl",
        N_("the member, the operator"),
        N_("as long as `privacy.keep` says; erasure blanks those on the member's findings, and names of its accounts"),
    ),
    ProcessingKind(
        N_("Consents and complaints"),
        N_("do what a home agreed to and nothing else; answer what it complains of in time"),
        "consents.jsonl, complaints.jsonl",
        N_("the member, the operator, the auditor"),
        N_("complaints as long as `privacy.keep` says; erasure blanks texts and who wrote, numbers and dates stay"),
    ),
    ProcessingKind(
        N_("Who looked at a home, what assistants asked"),
        N_("the member sees who looks at its readings"),
        "looks.jsonl, assistants.jsonl",
        N_("the member, the operator"),
        N_("after a year, requests of a long day but the first and last sooner; erasure removes the member's"),
    ),
)
