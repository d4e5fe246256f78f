"""What `transactive predict …` does: each act is one step of transactions, signed by whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from transactive.cli.chain.signing import opened, time_of_step
from transactive.cli.predict.report import DIGITS, Facts, history, told
from transactive.core.errors import InputError
from transactive.core.slots import parse_time, time_text
from transactive.core.spelling.quantities import whole
from transactive.core.units import kwh_text, money_text
from transactive.texts.predictions import QUANTITIES, THIN_MARKETS, TOOLS, outcome_words

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract import Contract

    from transactive.chain.keys.signers import Signers
    from transactive.chain.prediction.questions import MarketQuestion, Predictions
    from transactive.cli.signing_options import ChainOptions

PUBLIC = "who holds what is public by index for ever, and whoever runs the market knows who is behind an index"
PERIODS = 7
"""After so many periods a question without an outcome can be called off, beside the window of a netting."""


MOST_BOUNDS = 7
LEAST_LIQUIDITY = 10**6
"""n¤, as the contract has it."""


class NewQuestion(NamedTuple):
    """A question as it is typed. bounds, blur with their units; times RFC 3339."""

    quantity: str
    begin: str
    end: str
    bounds: Sequence[str]
    blur: str
    liquidity: str
    closes: str | None


@contextmanager
def predicted(where: ChainOptions) -> Iterator[tuple[Predictions, Signers]]:
    """A deployment with its market. Raises InputError, ChainError."""
    from transactive.chain.prediction.questions import Predictions

    given = where.node, where.deployment, where.keys, where.password_file, where.seed
    with opened(*given, beside=True) as (client, signers, known):
        yield Predictions(client, known), signers


def run_open(where: ChainOptions, slope: int) -> Facts:
    """Deploy a market for predictions beside the settlement, and write its address into the deployment."""
    with predicted(where) as (found, signers):
        if "prediction_market" in found.known.contracts:
            raise InputError("the deployment has a market for predictions already; `predict show` tells how it stands")
        if slope <= 0:
            raise InputError("--slope: is what a deviation costs at least; give a price above zero, as 0.06 USD/kWh")
        deadline = found.window + (PERIODS + 1) * found.per_period * found.slot_seconds
        made = write_down(where, found, signers.role("owner"), "prediction_market", slope, deadline)
        return made | {"means": TOOLS, "know": THIN_MARKETS}


def write_down(where: ChainOptions, found: Predictions, owner: LocalAccount, name: str, *terms: int) -> Facts:
    """Deploy a contract beside the settlement, and write its address into the deployment; address and gas."""
    from transactive.chain.deployments.deployment import Deployed, code_keccak

    client, known = found.client, found.known
    made = client.deploy(owner, name, known.address("currency"), found.settlement.address, *terms)
    gas = client.block(time_of_step(client)).receipts[-1].gas_used
    there = Deployed(address=str(made.address), code_keccak=code_keccak(client.code(str(made.address))))
    msgspec.structs.replace(known, contracts=known.contracts | {name: there}).save(where.deployment)
    return {name: there.address, "gas": gas}


def run_create(where: ChainOptions, account: str, asked: NewQuestion) -> Facts:
    """Ask, and pay the largest loss in advance."""
    from transactive.chain.acts.values import amount_n

    with predicted(where) as (found, signers):
        if asked.quantity not in QUANTITIES:
            raise InputError(f"--quantity {asked.quantity}: there are {', '.join(QUANTITIES)}, of all members together")
        first, past = (_slot(found, text, name) for text, name in ((asked.begin, "--from"), (asked.end, "--to")))
        bounds = [whole(text, "_wh", place="--bound") for text in asked.bounds]
        blur, liquidity = whole(asked.blur, "_wh", place="--blur"), amount_n(asked.liquidity)
        closes = first * found.slot_seconds if asked.closes is None else parse_time(asked.closes)
        if past <= first or first // found.per_period != (past - 1) // found.per_period:
            raise InputError("--to: is after --from, and at most at the end of the same settlement period")
        _refuse_bounds(bounds, blur)
        if liquidity < LEAST_LIQUIDITY:
            raise InputError(f"--liquidity {asked.liquidity}: is {money(found, LEAST_LIQUIDITY)} at least")
        loss = int(found.client.read(found.market, "loss", len(bounds) + 1, liquidity))
        terms = (QUANTITIES.index(asked.quantity), first, past - 1, closes, liquidity, blur, bounds)
        gas = send(found, found.market, signer_of(found, signers, account), loss, "create", *terms)
        facts = told(found, found.question(found.count - 1))
        return facts | {
            "paid_in_advance": money(found, loss),
            "means": "this is the most that you can lose",
            "gas": gas,
        }


def run_buy(where: ChainOptions, number: int, outcome: int, pays: str, account: str, most: str | None) -> Facts:
    """Buy shares of an outcome."""
    from transactive.chain.acts.values import amount_n

    with predicted(where) as (found, signers):
        question, shares = _outcome(found, number, outcome), amount_n(pays)
        price = int(found.client.read(found.market, "quote", number, outcome, shares))
        limit, key = price if most is None else amount_n(most), signer_of(found, signers, account)
        before = _wallet(found, key)
        gas = send(found, found.market, key, limit, "buy", number, outcome, shares, limit)
        paid = money(found, before - _wallet(found, key))
        return _traded(found, question, outcome, account) | {"paid": paid, "gas": gas, "know": PUBLIC}


def run_sell(where: ChainOptions, number: int, outcome: int, pays: str, account: str, least: str) -> Facts:
    """Give shares back."""
    from transactive.chain.acts.values import amount_n, decimal_n

    with predicted(where) as (found, signers):
        question = _outcome(found, number, outcome)
        key = signer_of(found, signers, account)
        before = _wallet(found, key)
        gas = send(found, found.market, key, 0, "sell", number, outcome, amount_n(pays), decimal_n(least))
        got = _wallet(found, key) - before
        return _traded(found, question, outcome, account) | {"received": money(found, got), "gas": gas}


def run_resolve(where: ChainOptions, number: int, by: str) -> Facts:
    """Write down what the meters say; or call a question off that has no outcome by its deadline."""
    with predicted(where) as (found, signers):
        question, key, now = found.question(number), signers.named(by), time_of_step(found.client)
        if now < question.ends:
            raise InputError(f"question {number}: is about slots until {time_text(question.ends)}; wait for them")
        late = question.outcome is None and now >= question.voidable_from
        evidence = found.evidence(question.first, question.last, late=late)
        if evidence is None:
            gas = send(found, found.market, key, 0, "void", number)
            means = "there was no outcome by the deadline: each share pays its part of one"
        else:
            gas = send(found, found.market, key, 0, "resolve", number, *evidence)
            means = "shares are paid, in equal parts if more than a hundredth was substituted"
        return told(found, found.question(number)) | {"means": means, "gas": gas}


def run_redeem(where: ChainOptions, number: int, account: str) -> Facts:
    """Take what shares are worth; who asked also takes what no share can claim."""
    with predicted(where) as (found, signers):
        question, key = found.question(number), signer_of(found, signers, account)
        before = _wallet(found, key)
        gas = send(found, found.market, key, 0, "redeem", number)
        shares = _wallet(found, key) - before
        facts = told(found, question) | {"shares_paid": money(found, shares)}
        if question.asker == key.address:
            gas += send(found, found.market, key, 0, "sweep", number)
            facts["left_of_what_you_paid_in"] = money(found, _wallet(found, key) - before - shares)
        return facts | {"gas": gas}


def run_show(where: ChainOptions, number: int | None) -> Facts:
    """All questions, or one with its trades."""
    with predicted(where) as (found, _):
        if number is None:
            listed = {f"question_{one.number}": told(found, one) for one in found.questions()}
            return {"questions": len(listed), **listed, "means": TOOLS, "know": THIN_MARKETS}
        question = found.question(number)
        return told(found, question) | {"trades": history(found, question)}


def _traded(found: Predictions, question: MarketQuestion, outcome: int, account: str) -> Facts:
    """How a question stands after somebody's trade."""
    held = found.shares(question, found.known.index(account))
    words = outcome_words(question.bounds, outcome)
    mine = {"outcome": words, "you_are_paid_if_it_happens": money(found, held[outcome])}
    return told(found, found.question(question.number)) | mine


def _outcome(found: Predictions, number: int, outcome: int) -> MarketQuestion:
    """A question that has an outcome. Raises InputError naming those that there are."""
    question = found.question(number)
    if not 0 <= outcome <= len(question.bounds):
        words = "; ".join(f"{one}: {outcome_words(question.bounds, one)}" for one in range(len(question.bounds) + 1))
        raise InputError(f"outcome {outcome}: question {number} has {words}")
    return question


def _refuse_bounds(bounds: Sequence[int], blur: int) -> None:
    """Raise InputError for bounds [Wh] that no question can have."""
    if blur <= 0:
        raise InputError(f"--blur: is above zero, so that no Wh makes a jump; this is {kwh_text(blur, 3)} kWh")
    if len(bounds) > MOST_BOUNDS:
        raise InputError(f"--bound: there are {len(bounds)}, and at most {MOST_BOUNDS} can be")
    if any(above - below < 2 * blur for below, above in pairwise([-blur, *bounds])):
        raise InputError(
            f"--bound: rise, each by twice the blur at least ({kwh_text(2 * blur, 3)} kWh), the first from"
            f" {kwh_text(blur, 3)} kWh on"
        )


def _slot(found: Predictions, text: str, option: str) -> int:
    """Number of the slot that begins at a time. Raises InputError."""
    number, rest = divmod(parse_time(text), found.slot_seconds)
    if rest:
        raise InputError(f"{option} {text}: no slot begins then; slots have {found.slot_seconds} s")
    if number < 0:
        raise InputError(f"{option} {text}: was before 1970, and no slot is; correct it")
    return number


def signer_of(found: Predictions, signers: Signers, account: str) -> LocalAccount:
    """Key of an account. Raises InputError for a name that the deployment has not."""
    found.known.index(account)
    return signers.account(account)


def _wallet(found: Predictions, key: LocalAccount) -> int:
    """What somebody's wallet has [n¤]."""
    currency = found.client.contract("currency", found.known.address("currency"))
    return int(found.client.read(currency, "balanceOf", key.address))


def send(
    found: Predictions,
    contract: Contract,
    key: LocalAccount,
    pay: int,
    function: str,
    *arguments: Any,  # noqa: ANN401 - as the ABI says
) -> int:
    """Let a contract take `pay` n¤ and call it, in one step; gas of the call. Raises ContractRevert with its reason."""
    client = found.client
    if pay:
        currency = client.contract("currency", found.known.address("currency"))
        client.send(key, currency, "approve", contract.address, pay)
    client.send(key, contract, function, *arguments)
    return client.block(time_of_step(client)).receipts[-1].gas_used


def money(found: Predictions, amount: int) -> str:
    """Money to the last unit."""
    return money_text(amount, found.known.currency, digits=DIGITS)
