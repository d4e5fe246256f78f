# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# pragma optimize codesize
"""
@title PredictionMarket
@notice Shares in what the community will use or make: a share of the outcome that happens is worth 1 n¤.
@dev A question is about a total of the settlement (imported, exported or produced Wh of all, over slots of one period), cut
     into two to eight outcomes by rising bounds. Whoever asks pays the largest loss in advance, b ln n and a margin
     (`loss`), and the contract sells and buys back shares at once, at the price of `modules/lmsr.vy`. The meters
     decide (`modules/totals.vy`): there is no reporter.

     Near a bound both outcomes count: from `blur` below it to `blur` above, what a share is worth goes from one to the
     other in a straight line. So a Wh more or less never makes a jump.

     ENFORCED
       - solvency: of each question the contract holds more than C(q), hence more than all its shares can claim
       - the loss of who asks is bounded, told before, and what is left comes back; nobody else can lose more than it paid
       - trading ends before the first slot begins; one outcome, from final commitments, and later corrections change nothing
       - without an outcome `deadline` after the last slot, or with more than a hundredth substituted, each share of an n-way
         question pays 1 / n, which the same funds cover
       - nobody but members holds shares, and a member at most 2 * blur * slope of an outcome: a Wh that it moves never pays it
         more than `slope` n¤. Shares cannot be sent on
     DETECTABLE
       - members that hold together: each adds its own slope. Trades are public by index
     TRUSTED
       - who deploys, that `slope` is no more than a deviation costs, and who asks, that blur and bounds are far above what one
         member can move: plant and connection power are not on chain. Quantities that a single member can move at will, as
         traded energy or a member's own, cannot be asked about
       - what the settlement trusts (gateway, arbiter), and the currency
     PRIVACY: who holds what is public by index for ever.
"""

from ethereum.ercs import IERC20

from modules import commitments
from modules import lmsr
from modules import totals
from modules import tokens

initializes: totals
exports: (totals.outcomeOf, totals.getSettlement)

struct Question:
    asker: address
    lane: uint256  # 0 imported, 1 exported, 2 produced
    first: uint256  # number of the first slot
    last: uint256
    closesAt: uint256  # Unix s
    liquidity: uint256  # b, n¤: the larger, the less a trade moves the price
    blur: uint256  # Wh
    pot: uint256  # n¤ that it holds
    isVoid: bool
    bounds: DynArray[uint256, MOST_BOUNDS]  # Wh, rising

MOST_BOUNDS: constant(uint256) = 7
LEAST_LIQUIDITY: constant(uint256) = 10**6
MOST_LIQUIDITY: constant(uint256) = 2**62
LARGEST: constant(uint256) = 2**62  # Wh

currency: public(immutable(IERC20))
slope: public(immutable(uint256))  # n¤ that a moved Wh pays a member at most
deadline: public(immutable(uint256))  # s after the last slot

count: public(uint256)
questions: HashMap[uint256, Question]
sold: HashMap[uint256, uint256[lmsr.MOST_OUTCOMES]]  # by question
holdings: HashMap[uint256, HashMap[uint256, uint256[lmsr.MOST_OUTCOMES]]]  # by question and member

event Asked:
    question: indexed(uint256)
    asker: indexed(address)
    lane: uint256
    first: uint256
    last: uint256
    closesAt: uint256
    liquidity: uint256
    blur: uint256
    bounds: DynArray[uint256, MOST_BOUNDS]

event Traded:
    question: indexed(uint256)
    member: indexed(uint256)
    outcome: uint256
    shares: int256  # negative: sold back
    money: uint256

event Voided:
    question: indexed(uint256)

event Redeemed:
    question: indexed(uint256)
    member: indexed(uint256)
    money: uint256


@deploy
def __init__(currency_: address, settlement_: address, slope_: uint256, deadline_: uint256):
    """
    @notice Serve a settlement's members.
    @param slope_ n¤ for each Wh that a member can win by moving its meter, at most: no more than a deviation costs it
    @param deadline_ seconds after the last slot until a question without an outcome is void; longer than a netting takes
    """
    assert currency_ != empty(address), "prediction_market: no currency"
    assert 0 < slope_ and slope_ <= LARGEST, "prediction_market: bad slope"
    totals.__init__(settlement_)
    assert deadline_ > totals.window + totals.slotSeconds * totals.slotsPerPeriod, "prediction_market: deadline too short"
    currency = IERC20(currency_)
    slope = slope_
    deadline = deadline_


@external
@nonreentrant
def create(
    lane: uint256, first: uint256, last: uint256, closesAt: uint256, liquidity: uint256, blur: uint256,
    bounds: DynArray[uint256, MOST_BOUNDS],
) -> uint256:
    """
    @notice Ask how much it will be, and pay the largest loss in advance; anybody. Outcome i is from bound i - 1 to bound i.
    @param closesAt end of trading, Unix s; the first slot's beginning at the latest
    @param blur Wh below and above each bound within which both outcomes count; bounds are twice as far apart
    @return number of the question
    """
    assert totals._isOfOnePeriod(lane, first, last), "prediction_market: no such total"
    begins: uint256 = first * totals.slotSeconds
    assert block.timestamp < closesAt and closesAt <= begins, "prediction_market: bad end of trading"
    assert LEAST_LIQUIDITY <= liquidity and liquidity <= MOST_LIQUIDITY, "prediction_market: bad liquidity"
    assert len(bounds) > 0 and blur > 0 and blur <= LARGEST, "prediction_market: bad bounds"
    least: uint256 = blur
    for bound: uint256 in bounds:
        assert least <= bound and bound <= LARGEST, "prediction_market: bad bounds"
        least = bound + 2 * blur
    question: uint256 = self.count
    self.count = question + 1
    money: uint256 = self._loss(len(bounds) + 1, liquidity)
    self.questions[question] = Question(
        asker=msg.sender, lane=lane, first=first, last=last, closesAt=closesAt, liquidity=liquidity, blur=blur, pot=money,
        isVoid=False, bounds=bounds,
    )
    log Asked(
        question=question, asker=msg.sender, lane=lane, first=first, last=last, closesAt=closesAt, liquidity=liquidity,
        blur=blur, bounds=bounds,
    )
    tokens._pull(currency, msg.sender, money)
    return question


@external
@nonreentrant
def buy(question: uint256, outcome: uint256, shares: uint256, most: uint256) -> uint256:
    """
    @notice Member: buy `shares` of an outcome for at most `most` n¤.
    @return n¤ paid
    """
    member: uint256 = totals._member(msg.sender)
    self._tradable(question, outcome, shares)
    q: Question = self.questions[question]
    held: uint256 = self.holdings[question][member][outcome]
    assert shares <= 2 * q.blur * slope and held <= 2 * q.blur * slope - shares, "prediction_market: holds enough"
    money: uint256 = self._quote(question, outcome, shares)
    assert money <= most, "prediction_market: price moved"
    self.sold[question][outcome] += shares
    self.holdings[question][member][outcome] = held + shares
    self.questions[question].pot = q.pot + money
    log Traded(question=question, member=member, outcome=outcome, shares=convert(shares, int256), money=money)
    tokens._pull(currency, msg.sender, money)
    return money


@external
@nonreentrant
def sell(question: uint256, outcome: uint256, shares: uint256, least: uint256) -> uint256:
    """
    @notice Member: give `shares` back for at least `least` n¤.
    @return n¤ received
    """
    member: uint256 = totals._member(msg.sender)
    self._tradable(question, outcome, shares)
    held: uint256 = self.holdings[question][member][outcome]
    assert shares <= held, "prediction_market: shares too low"
    q: uint256[lmsr.MOST_OUTCOMES] = self.sold[question]
    n: uint256 = len(self.questions[question].bounds) + 1
    liquidity: uint256 = self.questions[question].liquidity
    before: uint256 = lmsr._cost(q, n, liquidity)
    q[outcome] -= shares
    after: uint256 = lmsr._cost(q, n, liquidity) + lmsr.MARGIN
    money: uint256 = before - min(before, after)
    assert money >= least, "prediction_market: price moved"
    self.sold[question] = q
    self.holdings[question][member][outcome] = held - shares
    self.questions[question].pot -= money
    log Traded(question=question, member=member, outcome=outcome, shares=-convert(shares, int256), money=money)
    tokens._push(currency, msg.sender, money)
    return money


@external
def resolve(question: uint256, before: commitments.Opening, opening: commitments.Opening):
    """
    @notice Write down what was committed of a question's slots, once their period is final; anybody.
    @param before commitment of the slot before the first; ignored if that begins a period
    @param opening commitment of the last slot
    """
    q: Question = self._question(question)
    assert not q.isVoid, "prediction_market: void"
    totals._settle(question, q.lane, q.first, q.last, before, opening)


@external
def void(question: uint256):
    """
    @notice Call off a question that has no outcome by the deadline: each share pays its part of one; anybody.
    """
    q: Question = self._question(question)
    assert not totals._isKnown(question) and not q.isVoid, "prediction_market: over"
    assert block.timestamp >= (q.last + 1) * totals.slotSeconds + deadline, "prediction_market: wait"
    self.questions[question].isVoid = True
    log Voided(question=question)


@external
@nonreentrant
def redeem(question: uint256) -> uint256:
    """
    @notice Member: take what its shares are worth, once the outcome is written down or the question called off.
    @return n¤ received
    """
    member: uint256 = totals._member(msg.sender)
    worth: uint256[lmsr.MOST_OUTCOMES] = empty(uint256[lmsr.MOST_OUTCOMES])
    whole: uint256 = 0
    worth, whole = self._worth(question)
    money: uint256 = 0
    for i: uint256 in range(lmsr.MOST_OUTCOMES):
        shares: uint256 = self.holdings[question][member][i]
        money += shares * worth[i]
        self.sold[question][i] -= shares
    money = money // whole
    self.holdings[question][member] = empty(uint256[lmsr.MOST_OUTCOMES])
    self.questions[question].pot -= money
    log Redeemed(question=question, member=member, money=money)
    tokens._push(currency, msg.sender, money)
    return money


@external
@nonreentrant
def sweep(question: uint256) -> uint256:
    """
    @notice Who asked: take what no share can claim any more.
    @return n¤ received
    """
    q: Question = self._question(question)
    assert msg.sender == q.asker, "prediction_market: not the asker"
    worth: uint256[lmsr.MOST_OUTCOMES] = empty(uint256[lmsr.MOST_OUTCOMES])
    whole: uint256 = 0
    worth, whole = self._worth(question)
    owed: uint256 = 0
    for i: uint256 in range(lmsr.MOST_OUTCOMES):
        owed += self.sold[question][i] * worth[i]
    owed = (owed + whole - 1) // whole
    self.questions[question].pot = owed
    tokens._push(currency, msg.sender, q.pot - owed)
    return q.pot - owed


# -- views ------------------------------------------------------------------------------------------------


@external
@view
def getQuestion(question: uint256) -> Question:
    """
    @notice All that was asked, and what it holds.
    """
    return self._question(question)


@external
@view
def soldOf(question: uint256) -> uint256[lmsr.MOST_OUTCOMES]:
    """
    @notice Shares of each outcome that members hold.
    """
    return self.sold[question]


@external
@view
def sharesOf(question: uint256, member: uint256) -> uint256[lmsr.MOST_OUTCOMES]:
    """
    @notice Shares of each outcome that a member holds.
    """
    return self.holdings[question][member]


@external
@view
def loss(n: uint256, liquidity: uint256) -> uint256:
    """
    @notice n¤ that who asks a question with n outcomes pays in advance, and loses at most.
    """
    return self._loss(n, liquidity)


@external
@view
def quote(question: uint256, outcome: uint256, shares: uint256) -> uint256:
    """
    @notice n¤ that `buy` would take now.
    """
    assert outcome <= len(self._question(question).bounds), "prediction_market: no such outcome"
    return self._quote(question, outcome, shares)


@external
@view
def price(question: uint256, outcome: uint256) -> uint256:
    """
    @notice Price of a share, which is the market's probability of an outcome, in millionths.
    """
    q: Question = self._question(question)
    assert outcome <= len(q.bounds), "prediction_market: no such outcome"
    return lmsr._price(self.sold[question], len(q.bounds) + 1, q.liquidity, outcome)


@external
@view
def worthOf(question: uint256) -> (uint256[lmsr.MOST_OUTCOMES], uint256):
    """
    @notice What a share of each outcome pays, and of how many parts, once the question is over.
    """
    return self._worth(question)


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _question(question: uint256) -> Question:
    """
    @dev A question that there is.
    """
    assert question < self.count, "prediction_market: no such question"
    return self.questions[question]


@internal
@view
def _tradable(question: uint256, outcome: uint256, shares: uint256):
    """
    @dev Conditions of every trade.
    """
    assert question < self.count, "prediction_market: no such question"
    assert block.timestamp < self.questions[question].closesAt, "prediction_market: closed"
    assert outcome <= len(self.questions[question].bounds), "prediction_market: no such outcome"
    assert shares > 0, "prediction_market: no shares"


@internal
@view
def _quote(question: uint256, outcome: uint256, shares: uint256) -> uint256:
    """
    @dev n¤ for shares, rounded up.
    """
    q: uint256[lmsr.MOST_OUTCOMES] = self.sold[question]
    n: uint256 = len(self.questions[question].bounds) + 1
    liquidity: uint256 = self.questions[question].liquidity
    before: uint256 = lmsr._cost(q, n, liquidity)
    assert shares <= lmsr.MOST_SHARES - q[outcome], "prediction_market: too many shares"
    q[outcome] += shares
    return lmsr._cost(q, n, liquidity) + lmsr.MARGIN - before


@internal
@pure
def _loss(n: uint256, liquidity: uint256) -> uint256:
    """
    @dev b ln n and the margin.
    """
    assert 2 <= n and n <= lmsr.MOST_OUTCOMES and liquidity <= MOST_LIQUIDITY, "prediction_market: bad liquidity"
    return lmsr._cost(empty(uint256[lmsr.MOST_OUTCOMES]), n, liquidity) + lmsr.MARGIN


@internal
@view
def _worth(question: uint256) -> (uint256[lmsr.MOST_OUTCOMES], uint256):
    """
    @dev Parts that a share of each outcome pays, and how many parts make one; together they are never more than one.
    """
    q: Question = self._question(question)
    assert q.isVoid or totals._isKnown(question), "prediction_market: not over"
    worth: uint256[lmsr.MOST_OUTCOMES] = empty(uint256[lmsr.MOST_OUTCOMES])
    n: uint256 = len(q.bounds) + 1
    if q.isVoid or not totals._isValid(question):
        for i: uint256 in range(n, bound=lmsr.MOST_OUTCOMES):
            worth[i] = 1
        return worth, n
    whole: uint256 = 2 * q.blur
    total: uint256 = totals._outcome(question).total
    place: uint256 = 0  # the first outcome whose upper bound is not passed
    for bound: uint256 in q.bounds:
        if total < bound + q.blur:
            break
        place += 1
    upper: uint256 = 0
    if place < n - 1 and total + q.blur > q.bounds[place]:
        upper = total + q.blur - q.bounds[place]
        worth[place + 1] = upper
    worth[place] = whole - upper
    return worth, whole
