"""Who abuses direct trading gets nothing by it, and where it signed two things there is a proof."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.direct_nodes import DOMAIN, GRID, SLOT, Street, best_welfare, welfare, wish, wishes
from transactive.core.errors import DataError, RuleBroken, StateError
from transactive.core.proofs import signing
from transactive.core.proofs.deals.deal import Award, Bid
from transactive.core.proofs.deals.quotes import Quote
from transactive.node.direct.journal_file import JournalFile
from transactive.trading.direct import messages
from transactive.trading.direct.complaints import left_out
from transactive.trading.direct.messages import VERSION, Have, SentAward, SentBid, Tell
from transactive.trading.direct.negotiator import Negotiator
from transactive.trading.direct.plan import Plan, plan
from transactive.trading.direct.states import NEXT, DealState, advance

SUN, HOME, OTHER, FAR = range(4)


def street(**options: int) -> Street:
    """Two members with sun, two homes that need it."""
    made = [
        wish(SUN, sells=[(100_000, 1_000)]),
        wish(HOME, buys=[(200_000, 700)]),
        wish(OTHER, buys=[(190_000, 900)]),
        wish(FAR, sells=[(120_000, 800)]),
    ]
    return Street.of(made, **options)


def signed(hash_: bytes, key: bytes) -> bytes:
    return signing.sign(signing.digest(DOMAIN, hash_), key)


def quote(of: Street, who: int, position: int, by: int | None = None, round_: int = 0) -> bytes:
    """A quote of a node as bytes, signed by itself or by another one."""
    node = of.nodes[who]
    made = Quote(SLOT, round_, node.curve.key, node.curve.hash, position)
    return messages.write_quote(made, signed(made.hash, of.keys[who if by is None else by]), of.terms)


def bid(
    of: Street, buyer: int, seller: int, most: int = 500, price: int = 150_000, round_: int = 0, serial: int = 90
) -> Bid:
    buys, sells = (of.nodes[who].curve.key for who in (buyer, seller))
    return Bid(SLOT, round_, buys, sells, most, price, serial)


def offered(of: Street, made: Bid, by: int, to: int) -> SentAward | None:
    """What a node answers a bid that another one signs."""
    data = messages.write_bid(made, signed(made.hash, of.keys[by]), of.terms)
    letters = of.nodes[to].hear(messages.write(SentBid(VERSION, SentBid.KIND, SLOT, data)), b"buyer")
    assert [contact for contact, _ in letters] in ([], [b"buyer"])
    answer = messages.read(letters[0][1]) if letters else None
    assert answer is None or isinstance(answer, SentAward)
    return answer


def tell(of: Street, who: int, *quotes: bytes) -> None:
    of.nodes[who].hear(messages.write(Tell(VERSION, Tell.KIND, SLOT, of.nodes[who].board.round, list(quotes), [])), b"")


def test_two_quotes_of_a_round_convict_and_shut_out_and_all_hear_of_it() -> None:
    of = street()
    of.begin()
    tell(of, HOME, quote(of, SUN, -300))
    proof = of.nodes[HOME].board.frauds[of.nodes[SUN].seat]
    said = [messages.read_quote(data, of.terms) for data in proof]
    assert said[0][1].position != said[1][1].position
    assert all(
        signing.signer(signing.digest(DOMAIN, made.hash), signature, "it") == of.nodes[SUN].curve.key
        for _, made, signature in said
    )
    of.share()
    assert all(of.nodes[SUN].seat in node.board.frauds for node in of.nodes)
    of.pass_on(Negotiator.propose)
    assert of.nodes[SUN].purse.position == 0
    assert of.nodes[FAR].purse.position == -800
    of.check()


@pytest.mark.parametrize("position", [10**6, -(10**6), 2**63 - 1, -(2**63) + 1])
def test_a_position_that_no_deals_lead_to_moves_no_price_beyond_its_allowance(position: int) -> None:
    def planned(told: int) -> list[Plan]:
        of = street()
        of.nodes[SUN].purse.position = told
        of.begin()
        return [plan(node.board.standings(set()), 0, GRID) for node in of.nodes]

    most = 1_000
    assert planned(position) == planned(most if position > 0 else -most)


def test_nodes_that_were_told_different_quotes_find_that_out() -> None:
    of = street()
    for node in of.nodes:
        node.begin(0)
    first, second = (
        quote(of, SUN, 0),
        next(data for data in (quote(of, SUN, -k) for k in range(1, 99)) if data[-2] % 6 != quote(of, SUN, 0)[-2] % 6),
    )
    tell(of, HOME, first)
    tell(of, FAR, second)
    of.share()
    assert of.nodes[SUN].seat in of.nodes[HOME].board.frauds or of.nodes[SUN].seat in of.nodes[FAR].board.frauds


def test_what_another_one_signed_is_nothing() -> None:
    of = street()
    of.begin()
    tell(of, HOME, quote(of, SUN, -300, by=FAR))
    assert not of.nodes[HOME].board.frauds
    of.pass_on(lambda node: node.propose()[:0])  # plans, and nobody bids
    assert offered(of, bid(of, HOME, SUN), by=FAR, to=SUN) is None
    assert offered(of, bid(of, HOME, FAR), by=HOME, to=SUN) is None
    assert offered(of, bid(of, HOME, SUN, round_=1), by=HOME, to=SUN) is None
    assert not of.nodes[SUN].purse.awards


def test_a_forged_award_is_not_booked() -> None:
    of = street()
    of.begin()
    buyer = of.nodes[HOME]
    of.pass_on(Negotiator.propose, drop=lambda data: data[2] == SentBid.KIND)
    ((hash_, own),) = buyer.purse.own.items()
    for by, energy in ((FAR, own.bid.most_wh), (SUN, own.bid.most_wh + 1)):
        answer = SentAward(VERSION, SentAward.KIND, SLOT, hash_, energy, signed(Award(hash_, energy).hash, of.keys[by]))
        if own.bid.seller != of.nodes[by].curve.key or energy > own.bid.most_wh:
            buyer.hear(messages.write(answer), b"")
    assert buyer.purse.position == 0
    assert not buyer.deals


def test_a_bid_said_again_is_one_deal_with_one_answer() -> None:
    of = street()
    of.begin()
    of.pass_on(lambda node: node.propose()[:0])
    made = bid(of, HOME, SUN)
    answers = {offered(of, made, by=HOME, to=SUN) for _ in range(3)}
    assert len(answers) == 1
    assert of.nodes[SUN].purse.position == -500
    of.begin(1)
    assert offered(of, made, by=HOME, to=SUN) in answers, "in a later round too"
    assert of.nodes[SUN].purse.position == -500


def test_two_bids_with_one_serial_convict_the_buyer() -> None:
    of = street()
    of.begin()
    of.pass_on(lambda node: node.propose()[:0])
    first, second = bid(of, HOME, SUN, most=100), bid(of, HOME, SUN, most=200)
    assert (answer := offered(of, first, by=HOME, to=SUN)) is not None
    assert answer.energy_wh == 100
    assert (answer := offered(of, second, by=HOME, to=SUN)) is not None
    assert answer.energy_wh == 0
    assert of.nodes[SUN].purse.twice == [(first, second)]


def test_a_seller_answers_so_many_bids_of_one_buyer_a_round() -> None:
    of = street()
    of.begin()
    of.pass_on(lambda node: node.propose()[:0])
    answers = [offered(of, bid(of, HOME, SUN, most=1, serial=k), by=HOME, to=SUN) for k in range(20)]
    assert sum(answer is not None for answer in answers) == 4


@pytest.mark.parametrize(
    ("most", "price", "given"),
    [(10**6, 150_000, 1_000), (500, 99_900, 0), (500, 150_050, 0), (500, 250_100, 0), (500, 119_900, 0)],
    ids=("more than there is", "below the limit", "off the ticks", "above the cap", "below the plan"),
)
def test_a_seller_gives_no_more_than_its_curve_at_its_own_price(most: int, price: int, given: int) -> None:
    of = street()
    of.begin()
    of.pass_on(lambda node: node.propose()[:0])
    answer = offered(of, bid(of, OTHER, SUN, most=most, price=price), by=OTHER, to=SUN)
    assert answer is not None
    limit = of.terms.allowance(of.nodes[OTHER].seat).most_bought_wh
    assert answer.energy_wh == min(given, limit)


def test_a_bid_that_comes_before_the_sellers_plan_waits_for_it() -> None:
    of = street()
    of.begin()
    data = messages.write_bid(made := bid(of, HOME, SUN), signed(made.hash, of.keys[HOME]), of.terms)
    assert of.nodes[SUN].hear(messages.write(SentBid(VERSION, SentBid.KIND, SLOT, data)), b"home") == []
    answers = [letter for letter in of.nodes[SUN].propose() if letter[0] == b"home"]
    assert len(answers) == 1


def test_a_lost_award_is_found_in_the_next_quote() -> None:
    of = street()
    of.begin()
    of.pass_on(Negotiator.propose, drop=lambda data: data[2] == SentAward.KIND)
    buyers = [of.nodes[HOME], of.nodes[OTHER]]
    assert [node.purse.position for node in buyers] == [0, 0]
    sold = sum(node.purse.position for node in of.nodes)
    assert sold < 0
    of.begin(1)
    assert sum(node.purse.position for node in of.nodes) == 0
    assert of.money_n() == 0
    of.pass_on(Negotiator.again)  # the signatures, too
    assert sum(len(node.deals) for node in of.nodes) == 2 * len({d.hash for node in of.nodes for d in node.deals})
    of.check()


def test_a_seller_with_more_awards_than_a_quote_lists_is_asked_for_the_others() -> None:
    made = [wish(0, sells=[(100_000, 3_000)]), *(wish(k, buys=[(200_000, 100)]) for k in range(1, 31))]
    of = Street.of(made)
    of.begin()
    of.pass_on(Negotiator.propose, drop=lambda data: data[2] == SentAward.KIND)
    assert of.nodes[0].purse.position == -3_000
    of.begin(1)
    assert sum(node.purse.position for node in of.nodes[1:]) == 100 * messages.MOST_AWARDS
    of.pass_on(Negotiator.again)
    assert all(node.purse.position == 100 for node in of.nodes[1:])
    assert all(len(heard.data) < messages.DATAGRAM for heard in of.nodes[0].board.quotes.values())
    of.check()


def test_buyers_cut_off_for_two_rounds_trade_when_they_are_back() -> None:
    of = Street.of(wishes(10, 4))
    for round_ in range(2):
        of.begin(round_)
        of.pass_on(Negotiator.propose, drop=lambda data: data[2] in (SentBid.KIND, SentAward.KIND))
    of.begin(2)
    of.pass_on(Negotiator.propose)
    assert not any(node.left_out for node in of.nodes), "all quarrel with all, so nobody's word is good"
    positions = {node.seat: node.purse.position for node in of.nodes}
    assert welfare(of, [positions[seat] for seat in range(10)]) == best_welfare(of)
    of.check()


def test_a_seller_without_allowance_sells_nothing_and_nobody_asks_it() -> None:
    made = [
        wish(SUN, sells=[(100_000, 1_000)], bounds=(0, 0)),
        wish(HOME, buys=[(200_000, 700)]),
        wish(2, sells=[(120_000, 300)]),
    ]
    of = Street.of(made)
    of.begin()
    of.pass_on(Negotiator.propose)
    assert [node.purse.position for node in of.nodes] == [0, 300, -300]
    assert (answer := offered(of, bid(of, HOME, SUN), by=HOME, to=SUN)) is not None
    assert answer.energy_wh == 0


def test_names_that_are_not_in_the_roll_are_nothing() -> None:
    of, sybils = street(), Street.of([wish(k + 50, sells=[(90_000, 5_000)]) for k in range(4)])
    of.begin()
    sybils.begin()
    for node in of.nodes:
        for data in sybils.nodes[0].board.lacking(bytes(2), lambda many: list(range(many))):
            node.hear(data, b"")
    assert all(len(node.board.quotes) == 4 and not node.board.frauds for node in of.nodes)
    of.pass_on(Negotiator.propose)
    of.check()


def test_a_sealed_curve_is_shown_after_all_are_bound_to_theirs() -> None:
    of = street(sealed_below=5)
    of.begin()
    assert all(len(node.board.quotes) == 4 and not node.board.curves for node in of.nodes)
    assert all(node.all_committed for node in of.nodes)
    for node in of.nodes:
        node.show()
    of.share()
    of.pass_on(Negotiator.propose)
    assert sum(abs(node.purse.position) for node in of.nodes) > 0
    of.check()


def test_who_names_its_curve_after_others_were_shown_is_not_heard() -> None:
    of = street(sealed_below=5)
    late = of.nodes[SUN]
    for node in of.nodes:
        node.begin(0)
    rest = Street(of.nodes[1:], of.contacts[1:], of.keys[1:], of.wishes[1:])
    rest.share()
    for node in rest.nodes:
        node.show()
    rest.share()
    of.share()
    assert all(late.seat not in node.board.quotes for node in rest.nodes)
    rest.pass_on(Negotiator.propose)
    assert all(own.bid.seller != late.curve.key for node in rest.nodes for own in node.purse.own.values())


def test_a_curve_other_than_the_one_that_was_named_is_not_taken() -> None:
    of = street()
    of.begin()
    node, reader = of.nodes[SUN], of.nodes[HOME]
    other = replace(node.curve, top=node.curve.top - 500, energies=(node.curve.energies[0] + 500,))
    data = messages.write_curve(other, signed(other.hash, of.keys[SUN]), of.terms)
    del reader.board.curves[node.seat]
    reader.hear(messages.write(Tell(VERSION, Tell.KIND, SLOT, 0, [], [data])), b"")
    assert node.seat not in reader.board.curves


def test_a_node_that_was_killed_in_mid_round_says_the_same_again() -> None:
    of = street()
    journals: list[list[bytes]] = [[] for _ in of.nodes]
    for node, kept in zip(of.nodes, journals, strict=True):
        node._journal = kept.append
    of.begin()
    of.pass_on(Negotiator.propose, drop=lambda data: data[2] == SentAward.KIND)
    again = street()
    for node, kept in zip(again.nodes, journals, strict=True):
        node.resume(kept)
    again.begin()
    for before, after in zip(of.nodes, again.nodes, strict=True):
        assert after.board.quotes[after.seat] == before.board.quotes[before.seat]
        assert after.purse.position == before.purse.position
        assert after.purse.serial == before.purse.serial
    again.pass_on(Negotiator.propose)  # unanswered bids are said again, and have their answers
    assert sum(node.purse.position for node in again.nodes) == 0
    assert {d.hash for node in of.nodes for d in node.deals} <= {d.hash for node in again.nodes for d in node.deals}
    again.check()


def test_a_node_goes_on_with_no_journal_of_another_market() -> None:
    of, kept = street(), list[bytes]()
    of.nodes[HOME]._journal = kept.append
    of.begin()
    again = street()
    again.nodes[HOME].resume(kept)
    with pytest.raises(DataError, match="another market's"):
        again.nodes[SUN].resume(kept)
    elsewhere = street().nodes[HOME]
    elsewhere.terms = replace(elsewhere.terms, domain=b"\1" * 32)
    with pytest.raises(DataError, match="another market's"):
        elsewhere.resume(kept)


def test_a_journal_on_disk_gives_its_whole_records_and_goes_on(tmp_path: Path) -> None:
    of = street()
    path = tmp_path / "slots" / "472000"
    kept = JournalFile(path)
    of.nodes[HOME]._journal = kept.append
    of.begin()
    of.pass_on(Negotiator.propose)
    kept.close()
    with closing(JournalFile(path)) as again_open:
        whole, data = list(again_open.records()), path.read_bytes()
    assert len(whole) == 4, "curve, quote, bid, award"
    for cut in (1, len(whole[-1]), len(whole[-1]) + 15, len(whole[-1]) + 16):
        path.write_bytes(data[:-cut])
        with closing(JournalFile(path)) as torn:
            assert list(torn.records()) == whole[:-1]
            torn.append(whole[-1])
        assert path.read_bytes() == data
    again = Street.of([wish(SUN), wish(HOME, buys=[(210_000, 50)], bounds=(700, 700)), *of.wishes[2:]]).nodes[HOME]
    assert again.curve != of.nodes[HOME].curve
    again.terms = again.board.terms = again.purse.terms = of.terms
    again.resume(whole)
    assert again.curve == of.nodes[HOME].curve, "that it told, whatever is wanted now"
    assert again.purse.position == of.nodes[HOME].purse.position == 700


def test_zeros_at_the_end_of_a_journal_are_no_records(tmp_path: Path) -> None:
    """As a file system leaves them that had made room for bytes when the power went."""
    with closing(JournalFile(tmp_path / "slot")) as kept:
        kept.append(b"record")
    with kept.path.open("ab") as file:
        file.write(bytes(40))
    for more in ([], [b"more"]):
        with closing(JournalFile(kept.path)) as again:
            assert list(again.records()) == [b"record"]
            for record in more:
                again.append(record)
    with closing(JournalFile(kept.path)) as again:
        assert list(again.records()) == [b"record", b"more"]


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), st.data())
def test_a_flip_or_a_cut_is_named_or_costs_the_last_record(tmp_path_factory, records, draw):
    path = tmp_path_factory.mktemp("j") / "slot"
    with closing(JournalFile(path)) as kept:
        for record in records:
            kept.append(record)
    data = bytearray(path.read_bytes())
    begin = draw.draw(st.integers(0, len(data) - 1))
    if draw.draw(st.booleans()):
        data[begin] ^= draw.draw(st.integers(1, 255))
    else:
        size = len(records[-1]) + 16
        del data[begin : draw.draw(st.integers(begin + 1, len(data) - size)) if begin < len(data) - size else None]
    path.write_bytes(data)
    found = read_or_named(path)
    if isinstance(found, list):
        assert found == records[:-1]
    else:
        assert "is damaged, and others stand behind it" in found
        assert path.read_bytes() == data, "and nothing is cut"


def read_or_named(path: Path) -> list[bytes] | str:
    try:
        with closing(JournalFile(path)) as again:
            return list(again.records())
    except StateError as error:
        return str(error)


def test_a_second_process_is_kept_from_a_journal_until_the_first_ends(tmp_path: Path) -> None:
    with closing(JournalFile(tmp_path / "slot")) as first:
        first.append(b"record")
        with pytest.raises(StateError, match="another process has it"):
            JournalFile(tmp_path / "slot")
    with closing(JournalFile(tmp_path / "slot")) as second:
        assert list(second.records()) == [b"record"]


def test_who_was_killed_after_commitments_were_over_still_knows_who_had_made_one() -> None:
    of, kept = street(sealed_below=5), list[bytes]()
    late, node = of.nodes[SUN], of.nodes[HOME]
    node._journal = kept.append
    rest = Street([each for each in of.nodes if each is not late], of.contacts[:-1], of.keys, of.wishes)
    for each in rest.nodes:
        each.begin(0)
    rest.share()
    node.show()
    again = street(sealed_below=5).nodes[HOME]
    again.resume(kept)
    again.begin(0)
    late.begin(0)
    told = [each.board.quotes[each.seat].data for each in of.nodes]
    again.hear(messages.write(Tell(VERSION, Tell.KIND, SLOT, 0, told, [])), b"")
    assert set(again.board.quotes) == {each.seat for each in rest.nodes}


def test_a_journal_that_cannot_be_kept_stops_the_node_before_it_speaks(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="journal of direct trading cannot be written"):
        JournalFile(tmp_path / "file" / "slot")


def test_noise_is_nothing() -> None:
    of, chance = street(), random.Random(1)
    of.begin()
    real = [data for node in of.nodes for _, data in (*node.propose(), (b"", node._have(back=False)))]
    before = [(node.purse.position, len(node.board.quotes), len(node.board.curves)) for node in of.nodes]
    for _ in range(20_000):
        data = (
            bytearray(chance.choice(real))
            if chance.random() < 0.7
            else bytearray(chance.randbytes(chance.randint(0, 300)))
        )
        for _ in range(chance.randint(1, 4) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if bytes(data) not in real:
            of.nodes[chance.randrange(4)].hear(bytes(data), b"")
    assert [(node.purse.position, len(node.board.quotes), len(node.board.curves)) for node in of.nodes] == before
    of.nodes[0].hear(bytes(10**6), b"")


def test_who_answers_nobody_goes_and_who_is_slandered_stays() -> None:
    paired = {(a, b) for a in range(1, 5) for b in (7, 8)} | {(1, 2), (3, 4), (1, 3), (2, 4), (5, 6), (1, 5), (6, 2)}
    quarrels = [(a, b) for a in range(1, 5) for b in (7, 8)]
    assert left_out(quarrels, paired) == {7, 8}
    assert left_out([*quarrels, (5, 6)], paired) == {7, 8}
    assert left_out([(k, 9) for k in range(8)], paired) == set(), "nobody planned them together"


@pytest.mark.parametrize("now", DealState)
@pytest.mark.parametrize("then", DealState)
def test_a_deal_lives_by_the_table(now: DealState, then: DealState) -> None:
    if then in NEXT[now]:
        assert advance(now, then) is then
    else:
        with pytest.raises(RuleBroken, match="does not become"):
            advance(now, then)


def test_messages_are_short_and_read_as_they_were_written() -> None:
    of = Street.of(wishes(30, 1))
    of.begin()
    told = of.nodes[0].board.lacking(bytes(15), lambda many: list(range(many)))
    assert all(len(data) <= messages.DATAGRAM for data in told)
    assert sum(len(message.quotes) for message in map(messages.read, told) if isinstance(message, Tell)) == 30
    for seat, heard in of.nodes[0].board.curves.items():
        assert messages.read_curve(heard.data, of.terms)[:2] == (seat, heard.curve)
        assert heard.curve.prices[0] <= GRID.cap
    asked = messages.read(of.nodes[0]._have(back=True))
    assert isinstance(asked, Have)
    assert asked.back
