# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# pragma optimize gas
"""
@title ForecastPool
@notice Forecasts of what the community will use or make in some slots of each period, with stakes; the meters decide.
@dev A forecast is eight quantiles (1/16, 3/16 … 15/16) of a committed total of the settlement, Wh, 32 bits each in one word,
     the lowest first. Its loss is the sum over levels of (2k + 1) Wh that the outcome is above, or (15 - 2k) Wh that it is
     below the quantile, divided by 64: the CRPS by these levels. Its score is `scale` less the loss, at least zero. Pay is
     weighted score wagering (Lambert et al. 2008): stake times one plus the score less the mean score by stake.

     ENFORCED
       - zero-sum, with nobody behind it: what is paid is what was staked; nobody loses more than its stake
       - an honest report is best, and splitting a stake over several names changes nothing
       - sealed before the gate and shown after it: nobody sees another's forecast in time, none is changed, and who does
         not show it has the worst score
       - the outcome is the difference of two committed totals of a period that is final (`modules/totals.vy`). Without a
         commitment until the deadline, or with more than a hundredth substituted, all stakes go back
       - 2 * stake <= scale * slope: a Wh that somebody moves pays it at most `slope` n¤, and less n¤ by rounding than there
         are agents, so who moves its meter to win pays more for the deviation; before the gate it is information
       - nobody stakes on a quantity of which it can make up more than half, by what is registered (`setReach`)
     DETECTABLE
       - members that stake together: each adds its own slope. Stakes are public by index
     TRUSTED
       - the settlement's operator for what each member can reach: plant and connection power are not on chain otherwise
       - who deploys, that `slope` is no more than a deviation costs
       - what the settlement trusts (gateway, arbiter), and the currency
     PRIVACY: who staked what on which forecast is public by index for ever.
"""

from ethereum.ercs import IERC20

from modules import commitments
from modules import tokens
from modules import totals

initializes: totals
exports: (totals.outcomeOf, totals.getSettlement)

interface Operated:
    def operator() -> address: view

struct Wager:
    terms: uint256  # member | stake << 64 | shown << 255
    content: uint256  # hash of what is sealed; once shown, the forecast

MOST: constant(uint256) = 32  # wagers on a period
LEVELS: constant(uint256) = 8
QUANTILE: constant(uint256) = 2**32 - 1
STAKE_AT: constant(uint256) = 64
FIELD: constant(uint256) = 2**64 - 1
SHOWN: constant(uint256) = 2**255
LARGEST: constant(uint256) = 2**62
WEIGHT: constant(uint256) = 64  # of all levels together

currency: public(immutable(IERC20))
lane: public(immutable(uint256))  # 0 imported, 1 exported, 2 produced
first: public(immutable(uint256))  # slots of a period before those that count
last: public(immutable(uint256))  # place in the period of the last one that counts
lead: public(immutable(uint256))  # s between the gate and the first slot
reveal: public(immutable(uint256))  # s after the gate in which forecasts are shown
scale: public(immutable(uint256))  # Wh of loss that scores zero
slope: public(immutable(uint256))  # n¤/Wh
least: public(immutable(uint256))  # n¤, least stake
deadline: public(immutable(uint256))  # s after the last slot

funds: public(HashMap[uint256, uint256])  # n¤, by member
reachOf: public(HashMap[uint256, uint256])  # Wh that a member can add to or take from a slot
reach: public(uint256)  # of all
wagers: HashMap[uint256, DynArray[Wager, MOST]]  # by period

event ReachSet:
    member: indexed(uint256)
    reach: uint256

event Funded:
    member: indexed(uint256)
    amount: uint256

event Withdrawn:
    member: indexed(uint256)
    amount: uint256

event Wagered:
    period: indexed(uint256)
    member: indexed(uint256)
    stake: uint256

event Shown:
    period: indexed(uint256)
    member: indexed(uint256)
    forecast: uint256

event Paid:
    period: indexed(uint256)
    agents: uint256

event Refunded:
    period: indexed(uint256)
    agents: uint256


@deploy
def __init__(
    currency_: address, settlement_: address, lane_: uint256, first_: uint256, last_: uint256, lead_: uint256,
    reveal_: uint256, scale_: uint256, slope_: uint256, least_: uint256, deadline_: uint256,
):
    """
    @notice Serve a settlement's members: stakes on the total of a lane from the slot `first_` to the slot `last_` of periods.
    @param lead_ seconds between the gate and the first slot; forecasts are shown before it begins
    @param scale_ Wh of loss that scores zero
    @param slope_ n¤ for each Wh that a member can win by moving its meter, at most: no more than a deviation costs it
    @param deadline_ seconds after the last slot until stakes go back; longer than a netting and its window take
    """
    assert currency_ != empty(address), "forecast_pool: no currency"
    totals.__init__(settlement_)
    period: uint256 = totals.slotSeconds * totals.slotsPerPeriod
    assert lane_ < totals.LANES and first_ <= last_ and last_ < totals.slotsPerPeriod, "forecast_pool: no such total"
    assert 0 < reveal_ and reveal_ <= lead_ and deadline_ > totals.window + period, "forecast_pool: bad times"
    assert 0 < scale_ and scale_ <= LARGEST and 0 < slope_ and slope_ <= LARGEST, "forecast_pool: bad terms"
    assert 0 < least_ and 2 * least_ <= scale_ * slope_, "forecast_pool: bad stakes"
    currency = IERC20(currency_)
    lane = lane_
    first = first_
    last = last_
    lead = lead_
    reveal = reveal_
    scale = scale_
    slope = slope_
    least = least_
    deadline = deadline_


@external
def setReach(member: uint256, wh: uint256):
    """
    @notice The settlement's operator: say how many Wh of a slot a member's plants and connection can make up.
    """
    operator: address = staticcall Operated(totals.settlement.address).operator()
    assert msg.sender == operator, "forecast_pool: not the operator"
    assert wh <= LARGEST, "forecast_pool: bad reach"
    self.reach = self.reach - self.reachOf[member] + wh
    self.reachOf[member] = wh
    log ReachSet(member=member, reach=wh)


@external
@nonreentrant
def fund(amount: uint256):
    """
    @notice Member: move n¤ from its wallet here, to stake it.
    """
    member: uint256 = totals._member(msg.sender)
    assert amount <= LARGEST - min(self.funds[member], LARGEST), "forecast_pool: too much"
    self.funds[member] += amount
    log Funded(member=member, amount=amount)
    tokens._pull(currency, msg.sender, amount)


@external
@nonreentrant
def withdraw(amount: uint256):
    """
    @notice Member: take n¤ that are not staked.
    """
    member: uint256 = totals._member(msg.sender)
    self._take(member, amount)
    log Withdrawn(member=member, amount=amount)
    tokens._push(currency, msg.sender, amount)


@external
def wager(period: uint256, sealed: bytes32, stake: uint256):
    """
    @notice Member: stake on a forecast that nobody can read yet, before the gate; once for a period.
    @param sealed keccak256(forecast, salt, member, period), a word each
    """
    member: uint256 = totals._member(msg.sender)
    assert block.timestamp < self._gate(period), "forecast_pool: gate closed"
    assert least <= stake and 2 * stake <= scale * slope, "forecast_pool: stake out of bounds"
    own: uint256 = self.reachOf[member]
    assert own > 0, "forecast_pool: no reach"
    assert 2 * own <= self.reach, "forecast_pool: mostly your own"
    for one: Wager in self.wagers[period]:
        assert one.terms & FIELD != member, "forecast_pool: staked already"
    assert len(self.wagers[period]) < MOST, "forecast_pool: full"
    self._take(member, stake)
    self.wagers[period].append(Wager(terms=member | (stake << STAKE_AT), content=convert(sealed, uint256)))
    log Wagered(period=period, member=member, stake=stake)


@external
def show(period: uint256, number: uint256, forecast: uint256, salt: bytes32):
    """
    @notice Member: open its forecast after the gate, for `reveal` seconds; quantiles must not fall.
    @param number place of its wager in the period
    """
    member: uint256 = totals._member(msg.sender)
    gate: uint256 = self._gate(period)
    assert gate <= block.timestamp and block.timestamp < gate + reveal, "forecast_pool: not now"
    assert number < len(self.wagers[period]), "forecast_pool: no such wager"
    found: Wager = self.wagers[period][number]
    sealed: bytes32 = keccak256(abi_encode(forecast, salt, member, period))
    isSealed: bool = found.terms >> 255 == 0 and found.content == convert(sealed, uint256)
    assert isSealed and found.terms & FIELD == member, "forecast_pool: other forecast"
    below: uint256 = 0
    for k: uint256 in range(LEVELS):
        quantile: uint256 = (forecast >> (32 * k)) & QUANTILE
        assert below <= quantile, "forecast_pool: quantiles fall"
        below = quantile
    self.wagers[period][number] = Wager(terms=found.terms | SHOWN, content=forecast)
    log Shown(period=period, member=member, forecast=forecast)


@external
def settle(period: uint256, before: commitments.Opening, opening: commitments.Opening):
    """
    @notice Write down what was committed of a period, once it is final; anybody.
    @param before commitment of the slot before the first; ignored if that begins the period
    @param opening commitment of the last slot
    """
    assert not totals._isClosed(period), "forecast_pool: over"
    begin: uint256 = period * totals.slotsPerPeriod
    totals._settle(period, lane, begin + first, begin + last, before, opening)


@external
def pay(period: uint256):
    """
    @notice Pay by score, or give stakes back where too much was substituted; anybody.
    """
    assert not totals._isClosed(period), "forecast_pool: over"
    assert totals._isKnown(period), "forecast_pool: not known"
    totals._close(period)
    if totals._isValid(period):
        self._pay(period, totals._outcome(period).total)
    else:
        self._refund(period)


@external
def refund(period: uint256):
    """
    @notice Give stakes back for a period without an outcome by the deadline; anybody.
    """
    assert not totals._isClosed(period) and not totals._isKnown(period), "forecast_pool: over"
    end: uint256 = (period * totals.slotsPerPeriod + last + 1) * totals.slotSeconds
    assert block.timestamp >= end + deadline, "forecast_pool: wait"
    totals._close(period)
    self._refund(period)


@external
@view
def wagersOf(period: uint256) -> DynArray[Wager, MOST]:
    """
    @notice All wagers on a period, in the order in which they came.
    """
    return self.wagers[period]


@external
@view
def isOver(period: uint256) -> bool:
    """
    @notice Whether a period was paid or given back.
    """
    return totals._isClosed(period)


@external
@view
def gateOf(period: uint256) -> uint256:
    """
    @notice When the gate of a period closes, Unix s.
    """
    return self._gate(period)


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _gate(period: uint256) -> uint256:
    """
    @dev End of staking, and begin of showing.
    """
    return (period * totals.slotsPerPeriod + first) * totals.slotSeconds - lead


@internal
def _take(member: uint256, amount: uint256):
    """
    @dev Less for a member.
    """
    held: uint256 = self.funds[member]
    assert amount <= held, "forecast_pool: funds too low"
    self.funds[member] = held - amount


@internal
@pure
def _stake(terms: uint256) -> uint256:
    """
    @dev n¤ of a wager.
    """
    return (terms & ~SHOWN) >> STAKE_AT


@internal
@view
def _score(one: Wager, outcome: uint256) -> uint256:
    """
    @dev From zero, also of what was not shown, to `scale`.
    """
    if one.terms >> 255 == 0:
        return 0
    loss: uint256 = 0  # below 2**71: nothing of it can overflow
    above: uint256 = 1  # weight of a Wh above the quantile, in sixteenths
    rest: uint256 = one.content
    for k: uint256 in range(LEVELS):
        quantile: uint256 = rest & QUANTILE
        if outcome >= quantile:
            loss = unsafe_add(loss, unsafe_mul(above, unsafe_sub(outcome, quantile)))
        else:
            loss = unsafe_add(loss, unsafe_mul(unsafe_sub(16, above), unsafe_sub(quantile, outcome)))
        above = unsafe_add(above, 2)
        rest = rest >> 32
    return unsafe_sub(scale, min(loss // WEIGHT, scale))


@internal
def _pay(period: uint256, outcome: uint256):
    """
    @dev stake * (1 + (score - mean score) / scale); what rounding leaves, less n¤ than agents, is the last one's.
    """
    wagers: DynArray[Wager, MOST] = self.wagers[period]
    scores: uint256[MOST] = empty(uint256[MOST])
    stakes: uint256 = 0
    weighted: uint256 = 0
    i: uint256 = 0
    for one: Wager in wagers:
        score: uint256 = self._score(one, outcome)
        stake: uint256 = self._stake(one.terms)
        scores[i] = score
        stakes = unsafe_add(stakes, stake)  # 32 of them, each below 2**62, and so are scores
        weighted = unsafe_add(weighted, unsafe_mul(stake, score))
        i = unsafe_add(i, 1)
    base: uint256 = stakes * scale
    left: uint256 = stakes
    i = 0
    for one: Wager in wagers:
        share: uint256 = unsafe_add(base, unsafe_mul(stakes, scores[i])) - weighted
        paid: uint256 = unsafe_mul(self._stake(one.terms), share) // base
        left -= paid
        i = unsafe_add(i, 1)
        if i == len(wagers):
            paid += left
        self.funds[one.terms & FIELD] += paid
    log Paid(period=period, agents=i)


@internal
def _refund(period: uint256):
    """
    @dev Each its stake.
    """
    wagers: DynArray[Wager, MOST] = self.wagers[period]
    for one: Wager in wagers:
        self.funds[one.terms & FIELD] += self._stake(one.terms)
    log Refunded(period=period, agents=len(wagers))
