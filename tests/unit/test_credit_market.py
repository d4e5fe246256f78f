"""Carbon credits with their listings: by example, under random steps, as a file."""

import random
from collections import Counter
from typing import Any

import pytest

from transactive.carbon.credits.file import read_credits
from transactive.carbon.credits.register import BUFFER, Project
from transactive.carbon.credits.steps import (
    Approve,
    Buy,
    IssueBatch,
    Offset,
    RegisterProject,
    Retire,
    Reverse,
    Sell,
    TakeBack,
    decode,
    encode,
)
from transactive.core.errors import CreditError, DataError
from transactive.engine.credits.market import CreditMarket

FOREST = Project(id="forest", kind="removal", methodology="EX-1", jurisdiction="XX", auditor="ann")
WORDS: dict[str, Any] = {"beneficiary": "ada", "reason": "home", "period": "2017"}
FILE = """
[[projects]]
id = "forest"
kind = "removal"
methodology = "EX-1"
jurisdiction = "XX"
auditor = "ann"

[[batches]]
project = "forest"
vintage = 2015
serial = "EX-1-2015-1"
kg = 1000
owner = "coop"

[[listings]]
serial = "EX-1-2015-1"
seller = "coop"
kg = 600
price_micro_per_t = 40_000_000
"""


def market():
    return CreditMarket.of(read_credits(FILE.encode(), "credits.toml"))


def test_a_file_makes_a_market():
    made = market()
    assert made.offer(0).kg == 600
    assert made.register.held_kg(0, "coop") == 200
    assert made.offers("coop") == {}
    assert list(made.offers("ada")) == [0]


def test_what_is_listed_is_bought_once_and_retired_for_ever():
    made = market()
    made.do(Buy(by="ada", listing=0, kg=100, paid="bank transfer 7"))
    receipt = made.do(Retire(by="ada", batch=0, kg=100, **WORDS))
    assert (receipt.first_kg, receipt.end_kg) == (0, 100)
    receipt = made.do(Offset(by="ben", listing=0, kg=500, **WORDS))
    assert (receipt.first_kg, receipt.end_kg, receipt.holder) == (100, 600, "ben")
    made.register.check()
    assert made.offers("ada") == {}


REFUSED = {
    "credit.project-exists": RegisterProject(by="x", project=FOREST),
    "credit.unknown-project": Approve(by="ann", project="moon"),
    "credit.not-auditor": IssueBatch(by="bob", project="forest", vintage=2015, serial="2", kg=1, owner="coop"),
    "credit.approved": Approve(by="ann", project="forest"),
    "credit.serial": IssueBatch(by="ann", project="forest", vintage=2015, serial="EX-1-2015-1", kg=1, owner="coop"),
    "credit.account": IssueBatch(by="ann", project="forest", vintage=2015, serial="2", kg=1, owner=BUFFER),
    "credit.balance": Sell(by="coop", batch=0, kg=201, price_micro_per_t=1),
    "credit.unknown-batch": Sell(by="coop", batch=1, kg=1, price_micro_per_t=1),
    "credit.amount": Retire(by="coop", batch=0, kg=0, **WORDS),
    "credit.unknown-listing": Buy(by="ada", listing=1, kg=1, paid="cash"),
    "credit.own-listing": Buy(by="coop", listing=0, kg=1, paid="cash"),
    "credit.listing-amount": Offset(by="ada", listing=0, kg=601, **WORDS),
    "credit.not-seller": TakeBack(by="ada", listing=0),
    "credit.receipt": Offset(by="ada", listing=0, kg=1, **(WORDS | {"reason": " "})),
    "credit.buffer": Retire(by=BUFFER, batch=0, kg=1, **WORDS),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_step_has_a_code_and_changes_nothing(code):
    made, before = market(), market()
    with pytest.raises(CreditError) as refused:
        made.do(REFUSED[code])
    assert refused.value.code == code
    assert made == before


def test_retired_credits_are_refused_as_retired():
    made = market()
    made.do(Retire(by="coop", batch=0, kg=200, **WORDS))
    for step in (Retire(by="coop", batch=0, kg=1, **WORDS), Sell(by="coop", batch=0, kg=1, price_micro_per_t=1)):
        with pytest.raises(CreditError, match="used up for ever") as refused:
            made.do(step)
        assert refused.value.code == "credit.retired"


def test_a_project_is_approved_before_it_issues():
    made = CreditMarket()
    made.do(RegisterProject(by="operator", project=FOREST))
    with pytest.raises(CreditError) as refused:
        made.do(IssueBatch(by="ann", project="forest", vintage=2015, serial="1", kg=1, owner="coop"))
    assert refused.value.code == "credit.not-approved"


def test_a_seller_takes_back_what_is_left():
    made = market()
    made.do(Buy(by="ada", listing=0, kg=100, paid="cash"))
    made.do(TakeBack(by="coop", listing=0))
    assert made.register.held_kg(0, "coop") == 700
    with pytest.raises(CreditError) as refused:
        made.do(TakeBack(by="coop", listing=0))
    assert refused.value.code == "credit.listing-empty"


@pytest.mark.parametrize("seed", range(3))
def test_random_steps_keep_every_kg_and_the_log_makes_the_same_market(seed):
    made, dice, taken = CreditMarket(), random.Random(seed), Counter[bool]()
    people = ["ann", "ann", "coop", "ada"]
    made.do(RegisterProject(by="operator", project=FOREST))
    for number in range(400):
        who, kg, at = dice.choice(people), dice.randrange(1, 40), number
        listing = dice.randrange(made.listings + 1)
        batch = dice.randrange(len(made.register.batches) + 1)
        step = dice.choice(
            (
                Approve(by=who, project="forest"),
                IssueBatch(
                    by=who, project="forest", vintage=2015, serial=str(dice.randrange(90)), kg=3 * kg, owner="coop"
                ),
                Sell(by="coop", batch=batch, kg=kg, price_micro_per_t=dice.randrange(9), at=at),
                TakeBack(by=who, listing=listing),
                Buy(by=who, listing=listing, kg=kg, paid="cash", at=at),
                Offset(by=who, listing=listing, kg=kg, at=at, **WORDS),
                Retire(by=who, batch=batch, kg=kg, **WORDS),
                Reverse(by=who, batch=batch, kg=kg),
            )
        )
        before = sorted(made.register.holdings.items())
        try:
            made.do(step)
            taken[True] += 1
        except CreditError:
            taken[False] += 1
            assert before == sorted(made.register.holdings.items())
        made.register.check()
    assert min(taken.values()) > 40
    assert CreditMarket.of(decode(encode(step)) for step in made.log) == made


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "removal"', 'kind = "hope"', "is 'hope'; choose removal, avoidance"),
        ("kg = 1000", "kg = 0", "must be a whole number, 1 or more"),
        ('serial = "EX-1-2015-1"\nkg', 'serial = ""\nkg', "batches"),
        ('[[batches]]\nproject = "forest"', '[[batches]]\nproject = "moon"', "project 'moon' is not registered"),
        ("kg = 600", "kg = 801", "coop holds 800 kg of EX-1-2015-1, not 801"),
        ('seller = "coop"', 'seller = "ada"', "ada holds 0 kg"),
        ('[[listings]]\nserial = "EX-1-2015-1"', '[[listings]]\nserial = "2"', "serial '2' is not issued"),
        ("vintage = 2015", "vintage = 2015\ncolour = 1", "unknown key batches\\[0\\].colour; known are project"),
        (
            "[[listings]]",
            FILE[FILE.index("[[batches]]") : FILE.index("[[listings]]")] + "[[listings]]",
            "was used before",
        ),
        ("[[projects]]", "[[projects", "credits.toml"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(old, new, said):
    assert old in FILE
    with pytest.raises(DataError, match=said):
        read_credits(FILE.replace(old, new, 1).encode(), "credits.toml")
