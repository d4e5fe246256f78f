"""`transactive chain challenge` and `answer`: a member's files before the judge."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.chain.nodes.urls import existing_path, is_embedded
from transactive.cli.chain.signing import refuse_a_run, time_of_step
from transactive.core.errors import InputError
from transactive.core.units import money_text

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.disputes.certificate_findings import CertificateCase
    from transactive.chain.disputes.findings import Case
    from transactive.chain.disputes.fraud import Fraud
    from transactive.chain.nodes.client import ChainClient

NOTHING = "nothing to challenge"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Files beside the leaf. own, others: of the slot's certificates; before, receipts, deals: of the settlement."""

    before: Path | None = None
    receipts: tuple[Path, ...] = ()
    reading: Path | None = None
    own: Path | None = None
    others: tuple[Path, ...] = ()
    deals: tuple[Path, ...] = ()


def run_challenge(
    leaf: Path,
    beside: Evidence,
    *,
    node: str,
    account: str | None,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
) -> dict[str, Any]:
    """Look for every kind of fraud in a leaf; with `account`, bring the first one that is found before the judge.

    Raises InputError, StateError, ChainError; ContractRevert if the judge sees it otherwise.
    """
    from transactive.chain.nodes.client import ChainClient

    find = _certificates if _is_of_certificates(leaf) else _settlement
    if is_embedded(node):
        existing_path(node)
    with closing(ChainClient.open(node)) as client:
        case, found = find(client, leaf, beside)
        facts: dict[str, Any] = {"slot": case.opening.commitment.slot, "account": case.file.index}
        facts |= {"found": [one.what for one in found] or NOTHING, "sent": None}
        if not found or account is None:
            return facts
        refuse_a_run(node)
        return facts | send(client, case, found[0], key_of(client, account, keys, password_file, seed))


def run_answer(
    leaf: Path, *, node: str, account: str | None, keys: Path | None, password_file: Path | None, seed: str
) -> dict[str, Any]:
    """Show on chain what a member demanded, or asked of the whole.

    Raises InputError, StateError, ChainError, ContractRevert.
    """
    from transactive.chain.disputes import evidence, nested_file
    from transactive.chain.disputes.findings import Case
    from transactive.chain.disputes.leaf_file import LeafFile, load
    from transactive.chain.named_judges import demands_judge
    from transactive.chain.nodes.client import ChainClient

    file = load(leaf, LeafFile)
    if account is not None:
        refuse_a_run(node)
    with closing(ChainClient.open(node)) as client:
        case = Case(client, file)
        demands = demands_judge(client, case.judge)
        link, _until = client.read(demands, "demands", file.index)
        calls = []
        if bytes(link) == case.opening.head:
            trade = evidence.trade(file.accepted, file.fills)
            calls.append((demands, (case.opening.content, case.shown, *trade)))
        if asked := nested_file.answer(client, file.whole) if file.whole else None:
            calls.append(asked)
        facts: dict[str, Any] = {"account": file.index, "demanded": bytes(link) == case.opening.head}
        facts |= {"asked_of_the_whole": asked is not None, "sent": None}
        if account is None:
            return facts
        if not calls:
            raise InputError(f"{leaf}: nobody has asked for what it shows; leave --as out to look only")
        key = key_of(client, account, keys, password_file, seed)
        for judge, arguments in calls:
            client.send(key, judge, "answer", *arguments)
        made = client.block(time_of_step(client)).receipts
        return facts | {"sent": {"block": made[-1].block, "gas": sum(one.gas_used for one in made)}}


def run_deal_check(path: Path, node: str) -> dict[str, Any]:
    """What is known of a deal. Raises InputError for a file that is none, ChainError."""
    from transactive.chain.disputes.deals.file import load_deal
    from transactive.chain.disputes.deals.findings import VOID, is_bound
    from transactive.chain.named_judges import judge
    from transactive.chain.nodes.client import ChainClient
    from transactive.core.slots import time_text

    file = load_deal(path)
    made = file.content
    if is_embedded(node):
        existing_path(node)
    with closing(ChainClient.open(node)) as client:
        if client.chain_id != file.chain_id:
            raise InputError(f"the deal is of chain {file.chain_id}, not {client.chain_id}; give a node of that one")
        settlement = client.contract("settlement", file.settlement)
        disputes = client.contract("disputes", client.read(settlement, "disputes"))
        court = judge(client, disputes, "deals")
        if court is None:
            raise InputError("the settlement has no judge of deals; its members trade by orders alone")
        posted = int(client.read(court, "postedAt", made.hash))
        bound = is_bound(client, court, disputes, file)
        slot = time_text(file.slot * int(client.read(settlement, "slotSeconds")))
    told = None if posted == 0 else "void" if posted == VOID else time_text(posted)
    return {
        "slot": slot,
        "buyer": file.buyer,
        "seller": file.seller,
        "energy_wh": file.energy_wh,
        "price_micro_per_kwh": file.price,
        "amount": money_text(made.amount_n, digits=9),
        "signed_by_both": True,
        "receipt": bool(file.receipt),
        "posted": told,
        "binds_the_operator": bound,
    }


def key_of(client: ChainClient, account: str, keys: Path | None, password_file: Path | None, seed: str) -> LocalAccount:
    """Key that sends: a named one in a folder, or a demo key. Raises InputError, ChainError."""
    from transactive.chain.keys.keystore import KeyFolder
    from transactive.chain.keys.roles import ROLES
    from transactive.chain.keys.signers import DemoSigners
    from transactive.cli.keys.commands import read_password

    if keys is not None:
        return KeyFolder(keys).unlocked(account, lambda: read_password(password_file))
    if not account.isdigit() and account not in ROLES:
        raise InputError(f"--as {account}: give the number of an account of the demo keys, or --keys with a folder")
    demo = DemoSigners(seed, ())
    demo.check(client)
    return demo.named(account)


def send(client: ChainClient, case: Case | CertificateCase, finding: Fraud, challenger: LocalAccount) -> dict[str, Any]:
    """Bring a finding before the judge, and say what it paid."""
    before = int(client.read(case.settlement, "awards", challenger.address))
    client.send(challenger, finding.by or case.judge, finding.function, *finding.arguments)
    receipt = client.block(time_of_step(client)).receipts[-1]
    after = int(client.read(case.settlement, "awards", challenger.address))
    sent = {"call": finding.function, "block": receipt.block, "gas": receipt.gas_used}
    return {"sent": sent | {"awarded": money_text(after - before, digits=9)}}


def _is_of_certificates(path: Path) -> bool:
    """Whether a file says that it holds a leaf of certificates; what else is wrong with it is told when it is read."""
    import msgspec

    try:
        return "certificates" in msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return False


def _settlement(client: ChainClient, leaf: Path, beside: Evidence) -> tuple[Case, list[Fraud]]:
    """What a leaf of the settlement shows, and of a member in a group what the whole says of that."""
    from transactive.chain.disputes import nested_file
    from transactive.chain.disputes.deals.file import load_deal
    from transactive.chain.disputes.deals.findings import omitted_deals
    from transactive.chain.disputes.findings import Case
    from transactive.chain.disputes.leaf_file import LeafFile, load, load_receipt
    from transactive.chain.disputes.receipt_file import ReadingFile

    if beside.own or beside.others:
        raise InputError("--own and --other go with a file of certificates; leave them out for a leaf")
    file = load(leaf, LeafFile)
    earlier = load(beside.before, LeafFile) if beside.before else None
    held = [load_receipt(path) for path in beside.receipts]
    read = load(beside.reading, ReadingFile) if beside.reading else None
    case = Case(client, file)
    more = nested_file.findings(client, file.whole) if file.whole else []
    if beside.deals:
        more += omitted_deals(client, case.judge, file, [load_deal(path) for path in beside.deals])
    return case, [*case.findings(earlier, held, read), *more]


def _certificates(client: ChainClient, leaf: Path, beside: Evidence) -> tuple[CertificateCase, list[Fraud]]:
    """What a leaf of certificates shows."""
    from transactive.chain.disputes.certificate_findings import CertificateCase
    from transactive.chain.disputes.leaf_file import CertificateFile, LeafFile, load
    from transactive.chain.disputes.receipt_file import ReadingFile

    if beside.before or beside.receipts or beside.deals:
        raise InputError(
            "--before, --receipt and --deal go with a leaf of the settlement; give --own for the leaf of the slot"
        )
    case = CertificateCase(client, load(leaf, CertificateFile))
    own = load(beside.own, LeafFile) if beside.own else None
    read = load(beside.reading, ReadingFile) if beside.reading else None
    return case, case.findings(own, [load(path, CertificateFile) for path in beside.others], read)
