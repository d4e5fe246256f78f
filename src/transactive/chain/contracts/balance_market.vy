# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Balance market
@notice The network buys from producers and sells to consumers at a price that steers each slot to balance: it falls
        when more is promised to be produced than consumed, and rises otherwise.
@dev Per slot the operator fixes base price, floor, cap, scale and limit from its forecast and locks the pool's money
     for the worst case; from then on they cannot change. The price of the next Wh at surplus q (Wh promised by
     producers less Wh promised to consumers) is the base at 0, falls in a straight line to the floor at +scale and
     rises to the cap at -scale. What an order is paid or charged is the integral of the price over its Wh, rounded in
     favour of the pool. `docs/papers/balance_price.md` has the proofs; `market/balance/pricing.py` is the same in
     Python, to the n¤.

     Money waits in escrow, and only what a meter certifies is paid. Each promised Wh that its owner's meter does not
     show costs the owner cap less floor, wherever the price was: cap less price is what the network loses by it,
     price less floor is the most that it can have cost all others together by moving the price. A producer locks
     that for each Wh, a consumer that or what it owes, if this is more. Cancelling costs the difference between the
     current quote and the price of the order, to either side: what the promise has cost the others meanwhile, or
     what it would have gained.

     Prices are in units of the currency per Wh, which is n¤/Wh for a currency with nine decimals. Members are known by
     their index in the registry, so a member with a new key finds its money again.

     ENFORCED
       - no order for a slot that is past, closed or not open; no cancellation after the gate
       - price, worst loss and seed of a slot fixed before its first order; no order moves them
       - nobody, alone or together, gains by splitting or cycling orders; nobody is paid without a reading
       - no promise without its lock, on any part of the curve; a promise that is not kept, or is cancelled, costs its
         owner at least what it cost the network and, as a whole, everybody else
       - the contract holds the money for everything it owes, whoever is settled first
       - pause stops deposits, openings and orders, never cancelling, readings, settling and withdrawing; a suspended
         member cannot order and can do all of those
       - without a reading the promise counts against its owner: nothing delivered; used or not, whichever costs more
     DETECTABLE
       - an operator that states a reading which the meter did not make. The meter's own signature replaces it within
         the window, whoever brings it
       - an operator that opens no slot, or one with a poor curve: orders carry a limit on their total price
     TRUSTED
       - the operator to sell the slot's surplus, and to buy its deficit, outside at no worse than floor and cap; if it
         cannot, the community loses more than `worstLoss`, members here do not
       - whoever is operator owns the pool's free money, fines among it: a member in league with the operator moves
         prices for nothing, as the operator can by its curve; the registry's owner pauses and names the operator
       - the registrar, for the keys of the meters
       - the currency: an ERC-20 whose balances change by transfers only
     PRIVACY: orders and readings of each member are public, 15 minutes by 15 minutes. Use it on an embedded or a
     permissioned chain only; on a public one `settlement` shows no person's readings.
"""

from ethereum.ercs import IERC20

from modules import metered
from modules import tokens

initializes: metered
exports: (metered.getRegistry, metered.getClock, metered.getReading, metered.DOMAIN_SEPARATOR)

struct Curve:
    base: uint256  # n¤/Wh in balance
    floor: uint256  # n¤/Wh from +scale on
    cap: uint256  # n¤/Wh from -scale on
    scale: uint256  # Wh
    limit: uint256  # Wh, most promised production and most promised consumption

struct Book:
    produced: uint256  # Wh promised by producers
    consumed: uint256  # Wh promised to consumers
    positions: uint256  # how many members have a position

struct Position:
    energy: uint256  # Wh promised
    money: uint256  # n¤ for all of it: a producer receives them, a consumer pays them
    certified: uint256  # Wh read so far
    meters: uint256  # how many meters were read
    consuming: bool

struct Account:
    free: uint256  # n¤
    locked: uint256  # n¤ behind open positions

MAKERS: constant(uint256) = 1 | 4  # roles that may produce: producer, storage
TAKERS: constant(uint256) = 2 | 4  # roles that may consume: consumer, storage
MAX_BATCH: constant(uint256) = 64
PRICE_END: constant(uint256) = 2**40
ENERGY_END: constant(uint256) = 2**56
MONEY_END: constant(uint256) = 2**127
# words: a curve is base, floor, cap (40 bits each), scale, limit (56 each)
FLOOR_AT: constant(uint256) = 40
CAP_AT: constant(uint256) = 80
SCALE_AT: constant(uint256) = 120
LIMIT_AT: constant(uint256) = 176
PRICE: constant(uint256) = PRICE_END - 1
ENERGY: constant(uint256) = ENERGY_END - 1
# a book is produced, consumed, positions (64 each) and a bit that is set while the slot is unsettled
CONSUMED_AT: constant(uint256) = 64
POSITIONS_AT: constant(uint256) = 128
OPEN: constant(uint256) = 2**255
FIELD: constant(uint256) = 2**64 - 1
# a position is energy (64), money (96), certified (64), meters (8), side (1)
MONEY_AT: constant(uint256) = 64
CERTIFIED_AT: constant(uint256) = 160
METERS_AT: constant(uint256) = 224
SIDE_AT: constant(uint256) = 232
MONEY: constant(uint256) = 2**96 - 1
# an account is free and locked (128 each)
LOCKED_AT: constant(uint256) = 128
HALF: constant(uint256) = 2**128 - 1

currency: public(immutable(IERC20))

paused: public(bool)
pool: public(uint256)  # n¤ of the network that back no slot
accounts: HashMap[uint256, uint256]  # by index
curves: HashMap[uint256, uint256]  # by slot
books: HashMap[uint256, uint256]  # by slot
results: public(HashMap[uint256, int256])  # n¤ that settled and cancelled promises brought the slot's seed
positions: HashMap[uint256, HashMap[uint256, uint256]]  # by slot and index

event Deposited:
    index: indexed(uint256)
    amount: uint256

event Withdrawn:
    index: indexed(uint256)
    amount: uint256

event PoolChanged:
    account: indexed(address)
    pool: uint256

event SlotOpened:
    slot: indexed(uint256)
    base: uint256
    floor: uint256
    cap: uint256
    scale: uint256
    limit: uint256
    seed: uint256

event Produced:
    slot: indexed(uint256)
    index: indexed(uint256)
    energy: uint256
    money: uint256

event Consumed:
    slot: indexed(uint256)
    index: indexed(uint256)
    energy: uint256
    money: uint256

event Cancelled:
    slot: indexed(uint256)
    index: indexed(uint256)
    energy: uint256
    cost: uint256

event Settled:
    slot: indexed(uint256)
    index: indexed(uint256)
    certified: uint256  # Wh of the promise that count
    outcome: int256  # n¤ to the member

event SettlementSkipped:
    slot: indexed(uint256)
    index: indexed(uint256)

event SlotClosed:
    slot: indexed(uint256)
    result: int256  # n¤ to the pool beyond the seed

event PauseSet:
    paused: bool


@deploy
def __init__(registry: address, currency_: address, slotSeconds: uint256, gateSeconds: uint256, window: uint256):
    """
    @notice Fix registry, currency and clock for ever.
    @param slotSeconds length of a slot
    @param gateSeconds orders end so long before their slot starts
    @param window readings count for so long after their slot ends
    """
    assert currency_ != empty(address), "balance_market: no currency"
    metered.__init__("TransActive balance market", registry, slotSeconds, gateSeconds, window)
    currency = IERC20(currency_)


# -- money ------------------------------------------------------------------------------------------------


@external
@nonreentrant
def deposit(amount: uint256):
    """
    @notice Move `amount` n¤ from a member's wallet to its account here.
    """
    assert not self.paused, "balance_market: paused"
    index: uint256 = metered._member(msg.sender)[0]
    account: Account = self._account(index)
    # gains can take an account beyond this, but never to the end of its lane: each is below 2**96
    room: uint256 = MONEY_END - min(MONEY_END, account.free + account.locked)
    assert 0 < amount and amount <= room, "balance_market: bad amount"
    account.free += amount
    self._keepAccount(index, account)
    tokens._pull(currency, msg.sender, amount)
    log Deposited(index=index, amount=amount)


@external
@nonreentrant
def withdraw(amount: uint256):
    """
    @notice Pay a member `amount` n¤ of what is free. Never paused, and open to suspended members.
    """
    index: uint256 = metered._member(msg.sender)[0]
    account: Account = self._account(index)
    assert 0 < amount, "balance_market: bad amount"
    assert amount <= account.free, "balance_market: balance too low"
    account.free -= amount
    self._keepAccount(index, account)
    tokens._push(currency, msg.sender, amount)
    log Withdrawn(index=index, amount=amount)


@external
@nonreentrant
def fund(amount: uint256):
    """
    @notice Give the network `amount` n¤ of the caller's wallet, to back slots with.
    """
    assert not self.paused, "balance_market: paused"
    assert 0 < amount and amount <= MONEY_END, "balance_market: bad amount"
    self.pool += amount
    tokens._pull(currency, msg.sender, amount)
    log PoolChanged(account=msg.sender, pool=self.pool)


@external
@nonreentrant
def defund(amount: uint256):
    """
    @notice Operator: take `amount` n¤ that back no slot. Never paused.
    """
    metered._onlyOperator()
    assert 0 < amount, "balance_market: bad amount"
    assert amount <= self.pool, "balance_market: pool too low"
    self.pool -= amount
    tokens._push(currency, msg.sender, amount)
    log PoolChanged(account=msg.sender, pool=self.pool)


# -- orders -----------------------------------------------------------------------------------------------


@external
def openSlot(
    slot: uint256, base: uint256, floorPrice: uint256, capPrice: uint256, scale: uint256, limit: uint256
):
    """
    @notice Operator: open a slot at prices that stay as they are, and lock `seedNeeded` of the pool behind it.
    @param slot start, Unix s
    @param base n¤/Wh in balance; 0 <= floorPrice < base < capPrice < 2**40
    @param scale Wh of surplus or deficit at which floor or cap are reached, a share of the expected load
    @param limit most Wh promised on each side, below 2**56
    """
    metered._onlyOperator()
    assert not self.paused, "balance_market: paused"
    metered._beforeGate(slot)
    assert self.curves[slot] == 0, "balance_market: slot opened before"
    curve: Curve = self._checked(Curve(base=base, floor=floorPrice, cap=capPrice, scale=scale, limit=limit))
    seed: uint256 = self._seed(curve)
    assert self.pool >= seed, "balance_market: pool too low"
    self.pool -= seed
    self.curves[slot] = (
        base | (floorPrice << FLOOR_AT) | (capPrice << CAP_AT) | (scale << SCALE_AT) | (limit << LIMIT_AT)
    )
    self.books[slot] = OPEN
    log SlotOpened(slot=slot, base=base, floor=floorPrice, cap=capPrice, scale=scale, limit=limit, seed=seed)


@external
def produce(slot: uint256, least: uint256, most: uint256, limit: uint256) -> (uint256, uint256):
    """
    @notice Promise to deliver `least` to `most` Wh in a slot: all there is room for, if its total price keeps to the
            limit; else as much as has every Wh at limit / most or better. Locks cap less floor for each Wh.
    @param limit least total price of `most` Wh in n¤, of less pro rata; zero for any price
    @return Wh promised; n¤ that they bring when the meter certifies them
    """
    return self._order(slot, least, most, limit, False)


@external
def consume(slot: uint256, least: uint256, most: uint256, limit: uint256) -> (uint256, uint256):
    """
    @notice Buy `least` to `most` Wh of a slot: all there is room for, if its total price keeps to the limit; else as
            much as has every Wh at limit / most or better. Locks the price, or cap less floor for each Wh if more.
    @param limit most total price of `most` Wh in n¤, of less pro rata; 2**256 - 1 for any price
    @return Wh bought; n¤ that they cost
    """
    return self._order(slot, least, most, limit, True)


@external
def cancel(slot: uint256, energy: uint256) -> uint256:
    """
    @notice Take back `energy` Wh of the caller's promise before the gate closes. It costs the difference between the
            price of the promise and the current quote, whichever is higher: that is what the promise has cost the
            others meanwhile, or would have gained. The lock that becomes free covers it. Never paused.
    @return n¤ that it cost
    """
    index: uint256 = metered._member(msg.sender)[0]
    metered._beforeGate(slot)
    held: Position = self._position(slot, index)
    assert held.energy > 0, "balance_market: nothing promised"
    assert 0 < energy and energy <= held.energy, "balance_market: bad amount"
    curve: Curve = self._curve(slot)
    book: Book = self._book(slot)
    before: int256 = self._surplus(book)
    locked: uint256 = self._lock(curve, held)
    part: uint256 = 0  # n¤ of the price that belong to the cancelled Wh
    cost: uint256 = 0
    if held.consuming:
        book.consumed -= energy
        part = held.money * energy // held.energy
        quote: uint256 = self._paid(curve, before, self._surplus(book))
        cost = max(part, quote) - min(part, quote)
    else:
        book.produced -= energy
        part = self._up(held.money * energy, held.energy)
        quote: uint256 = self._charged(curve, before, self._surplus(book))
        cost = max(part, quote) - min(part, quote)
    held.energy -= energy
    held.money -= part
    if held.energy == 0:
        book.positions -= 1
    self._keepPosition(slot, index, held)
    self._keepBook(slot, book)
    self._release(index, locked - self._lock(curve, held), cost)
    self.results[slot] += convert(cost, int256)
    log Cancelled(slot=slot, index=index, energy=energy, cost=cost)
    return cost


# -- delivery ---------------------------------------------------------------------------------------------


@external
def certify(
    slot: uint256, meter: uint256, exported: uint256, imported: uint256, v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Anyone: bring a reading signed by its meter, within the window after the slot.
    @param exported Wh that the meter's owner gave in the slot
    @param imported Wh that it took
    """
    reading: metered.Reading = metered.Reading(meter=meter, exported=exported, imported=imported)
    self._certify(slot, metered._readSigned(slot, reading, v, r, s))


@external
def certifyBatch(slot: uint256, readings: DynArray[metered.Reading, MAX_BATCH]) -> uint256:
    """
    @notice Operator: state readings; a meter's own signature replaces them within the window. One that is known already
            is left out, with an event: whoever was faster does not keep the others out.
    @return readings that were taken
    """
    metered._onlyOperator()
    taken: uint256 = 0
    for reading: metered.Reading in readings:
        if metered._isKnown(slot, reading.meter):
            continue
        self._certify(slot, metered._readStated(slot, reading))
        taken += 1
    return taken


@external
def settle(slot: uint256, members: DynArray[uint256, MAX_BATCH]) -> uint256:
    """
    @notice Anyone: end positions of a slot after its window. A producer has the price for what was certified, a
            consumer pays it for what it has used; each pays cap less floor for every Wh of the rest. With the last
            position the slot closes and what it has earned goes to the pool.
    @param members indices; one without a position, such as settled before, is left out, with an event; an empty list
           closes a slot without positions
    @return positions that were settled
    """
    metered._afterWindow(slot)
    book: Book = self._book(slot)
    curve: Curve = self._curve(slot)
    result: int256 = self.results[slot]
    settled: uint256 = 0
    for index: uint256 in members:
        if self.positions[slot][index] == 0:
            log SettlementSkipped(slot=slot, index=index)
            continue
        result += self._settleOne(slot, index, curve)
        settled += 1
    book.positions -= settled
    self.results[slot] = result
    self._keepBook(slot, book)
    if book.positions == 0:
        self.books[slot] = 0
        self.pool += convert(convert(self._seed(curve), int256) + result, uint256)
        log SlotClosed(slot=slot, result=result)
    return settled


@external
def setPaused(paused: bool):
    """
    @notice The registry's owner: stop or resume whatever begins something.
    """
    metered._onlyOwner()
    self.paused = paused
    log PauseSet(paused=paused)


# -- views ------------------------------------------------------------------------------------------------


@external
@view
def getProductionPrice(slot: uint256) -> uint256:
    """
    @notice n¤ that the next Wh produced in a slot brings.
    """
    before: int256 = self._surplus(self._book(slot))
    return self._paid(self._curve(slot), before, before + 1)


@external
@view
def getConsumptionPrice(slot: uint256) -> uint256:
    """
    @notice n¤ that the next Wh consumed in a slot costs.
    """
    before: int256 = self._surplus(self._book(slot))
    return self._charged(self._curve(slot), before, before - 1)


@external
@view
def quoteProduction(slot: uint256, energy: uint256) -> uint256:
    """
    @notice n¤ that `energy` Wh produced in a slot would bring now, whether or not there is room for them.
    """
    assert energy < ENERGY_END, "balance_market: bad amount"
    before: int256 = self._surplus(self._book(slot))
    return self._paid(self._curve(slot), before, before + convert(energy, int256))


@external
@view
def quoteConsumption(slot: uint256, energy: uint256) -> uint256:
    """
    @notice n¤ that `energy` Wh consumed in a slot would cost now, whether or not there is room for them.
    """
    assert energy < ENERGY_END, "balance_market: bad amount"
    before: int256 = self._surplus(self._book(slot))
    return self._charged(self._curve(slot), before, before - convert(energy, int256))


@external
@view
def seedNeeded(base: uint256, floorPrice: uint256, capPrice: uint256, scale: uint256, limit: uint256) -> uint256:
    """
    @notice n¤ of the pool that a slot with this curve locks: the most it can have paid out, at any time.
    """
    return self._seed(self._checked(Curve(base=base, floor=floorPrice, cap=capPrice, scale=scale, limit=limit)))


@external
@view
def worstLoss(base: uint256, floorPrice: uint256, capPrice: uint256, scale: uint256, limit: uint256) -> uint256:
    """
    @notice Most n¤ that a slot with this curve can lose once the network has sold its surplus at the floor, or bought
            its deficit at the cap; the rest of the seed comes back as energy.
    """
    curve: Curve = self._checked(Curve(base=base, floor=floorPrice, cap=capPrice, scale=scale, limit=limit))
    return self._up(max(curve.base - curve.floor, curve.cap - curve.base) * curve.scale, 2)


@external
@view
def getCurve(slot: uint256) -> Curve:
    """
    @notice Curve of a slot that was opened.
    """
    return self._curve(slot)


@external
@view
def getBook(slot: uint256) -> Book:
    """
    @notice What is promised for a slot.
    """
    return self._book(slot)


@external
@view
def getPosition(slot: uint256, index: uint256) -> Position:
    """
    @notice A member's promise for a slot; all zero without one.
    """
    return self._position(slot, index)


@external
@view
def getAccount(index: uint256) -> Account:
    """
    @notice A member's money here.
    """
    return self._account(index)


# -- internal: orders and delivery ------------------------------------------------------------------------


@internal
def _order(slot: uint256, least: uint256, most: uint256, limit: uint256, consuming: bool) -> (uint256, uint256):
    """
    @dev Take an order of the caller on one side.
    """
    assert not self.paused, "balance_market: paused"
    index: uint256 = 0
    roles: uint256 = 0
    index, roles = metered._member(msg.sender)
    assert roles & (TAKERS if consuming else MAKERS) != 0, "balance_market: role missing"
    metered._beforeGate(slot)
    curve: Curve = self._curve(slot)
    book: Book = self._book(slot)
    held: Position = self._position(slot, index)
    assert held.energy == 0 or held.consuming == consuming, "balance_market: other side promised"
    energy: uint256 = 0
    money: uint256 = 0
    energy, money = self._fill(curve, book, least, most, limit, consuming)
    if consuming:
        book.consumed += energy
    else:
        book.produced += energy
    if held.energy == 0:
        book.positions += 1
    lock: uint256 = self._lock(curve, held)
    held.energy += energy
    held.money += money
    held.consuming = consuming
    lock = self._lock(curve, held) - lock
    self._keepPosition(slot, index, held)
    self._keepBook(slot, book)
    account: Account = self._account(index)
    assert account.free >= lock, "balance_market: balance too low"
    account.free -= lock
    account.locked += lock
    self._keepAccount(index, account)
    if consuming:
        log Consumed(slot=slot, index=index, energy=energy, money=money)
    else:
        log Produced(slot=slot, index=index, energy=energy, money=money)
    return energy, money


@internal
@pure
def _fill(
    curve: Curve, book: Book, least: uint256, most: uint256, limit: uint256, consuming: bool
) -> (uint256, uint256):
    """
    @dev Wh and n¤ of an order, by the rule that `produce` and `consume` state.
    """
    assert 0 < least and least <= most and most < ENERGY_END, "balance_market: bad amount"
    energy: uint256 = min(most, curve.limit - (book.consumed if consuming else book.produced))
    assert energy >= least, "balance_market: capacity reached"
    before: int256 = self._surplus(book)
    money: uint256 = self._money(curve, before, energy, consuming)
    # no total is above cap x most: with the bound cut there, products stay far below 2**256
    bound: uint256 = min(limit, curve.cap * most + 1)
    kept: bool = money * most <= bound * energy if consuming else money * most >= bound * energy
    if not kept:
        energy = min(energy, self._reach(curve, before, most, bound, consuming))
        assert energy >= least, "balance_market: price beyond the limit"
        money = self._money(curve, before, energy, consuming)
    return energy, money


@internal
@pure
def _reach(curve: Curve, before: int256, most: uint256, limit: uint256, consuming: bool) -> uint256:
    """
    @dev Most Wh of which each has the price limit / most or better. Called only where some Wh is worse, so a
         producer's limit is above the floor and a consumer's below the cap.
    """
    price: uint256 = limit // most if consuming else self._up(limit, most)
    if (price < curve.floor if consuming else price > curve.cap):
        return 0
    target: int256 = 0  # surplus at which the price is reached
    if price <= curve.base:
        part: uint256 = (curve.base - price) * curve.scale
        swing: uint256 = curve.base - curve.floor
        target = convert(self._up(part, swing) if consuming else part // swing, int256)
    else:
        part: uint256 = (price - curve.base) * curve.scale
        swing: uint256 = curve.cap - curve.base
        target = -convert(part // swing if consuming else self._up(part, swing), int256)
    return convert(max(before - target if consuming else target - before, 0), uint256)


@internal
def _certify(slot: uint256, change: metered.Change):
    """
    @dev Count a reading for the position of the meter's owner.
    """
    held: Position = self._position(slot, change.owner)
    assert held.energy > 0, "balance_market: nothing promised"
    more: int256 = change.imported if held.consuming else change.exported
    held.certified = convert(convert(held.certified, int256) + more, uint256)
    if change.isNew:
        held.meters += 1
    self._keepPosition(slot, change.owner, held)


@internal
def _settleOne(slot: uint256, index: uint256, curve: Curve) -> int256:
    """
    @dev End a position; gives n¤ for the slot's result.
    """
    held: Position = self._position(slot, index)
    certified: uint256 = min(held.certified, held.energy)
    locked: uint256 = self._lock(curve, held)
    back: uint256 = locked - (curve.cap - curve.floor) * (held.energy - certified)
    if held.consuming:
        price: uint256 = self._up(held.money * certified, held.energy)
        if held.meters == 0 or held.meters < metered._metersOf(index, slot):
            # a meter that was not read may have seen all of it
            certified = held.energy
            back = min(back - price, locked - held.money)
        else:
            back -= price
    else:
        back += held.money * certified // held.energy
    account: Account = self._account(index)
    account.locked -= locked
    account.free += back
    self._keepAccount(index, account)
    self.positions[slot][index] = 0
    result: int256 = convert(locked, int256) - convert(back, int256)
    log Settled(slot=slot, index=index, certified=certified, outcome=-result)
    return result


@internal
def _release(index: uint256, lock: uint256, cost: uint256):
    """
    @dev Set a lock free, less what it pays for.
    """
    account: Account = self._account(index)
    account.locked -= lock
    account.free += lock - cost
    self._keepAccount(index, account)


# -- internal: price --------------------------------------------------------------------------------------


@internal
@pure
def _checked(curve: Curve) -> Curve:
    """
    @dev The curve, if it is one.
    """
    ordered: bool = curve.floor < curve.base and curve.base < curve.cap and curve.cap < PRICE_END
    assert ordered, "balance_market: bad prices"
    inRange: bool = 0 < curve.scale and curve.scale < ENERGY_END and 0 < curve.limit and curve.limit < ENERGY_END
    assert inRange, "balance_market: bad scale or limit"
    return curve


@internal
@pure
def _potential(curve: Curve, q: int256) -> int256:
    """
    @dev Twice the scale times the integral of the price from 0 to q: whole for every whole q, below 2**155.
    """
    scale: int256 = convert(curve.scale, int256)
    base: int256 = convert(curve.base, int256)
    inside: int256 = 0
    swing: int256 = 0
    bound: int256 = 0
    if q >= 0:
        inside = min(q, scale)
        bound = convert(curve.floor, int256)
        swing = base - bound
    else:
        inside = max(q, -scale)
        bound = convert(curve.cap, int256)
        swing = bound - base
    return 2 * scale * (base * inside + bound * (q - inside)) - swing * inside * inside


@internal
@pure
def _paid(curve: Curve, before: int256, after: int256) -> uint256:
    """
    @dev n¤ to a participant that moves the surplus up, rounded down.
    """
    area: uint256 = convert(self._potential(curve, after) - self._potential(curve, before), uint256)
    return area // (2 * curve.scale)


@internal
@pure
def _charged(curve: Curve, before: int256, after: int256) -> uint256:
    """
    @dev n¤ from a participant that moves the surplus down, rounded up.
    """
    area: uint256 = convert(self._potential(curve, before) - self._potential(curve, after), uint256)
    return self._up(area, 2 * curve.scale)


@internal
@pure
def _money(curve: Curve, before: int256, energy: uint256, consuming: bool) -> uint256:
    """
    @dev Total price of an order.
    """
    if consuming:
        return self._charged(curve, before, before - convert(energy, int256))
    return self._paid(curve, before, before + convert(energy, int256))


@internal
@pure
def _seed(curve: Curve) -> uint256:
    """
    @dev What the pool could have paid out if all production and no consumption were promised, rounded up.
    """
    return self._up(convert(self._potential(curve, convert(curve.limit, int256)), uint256), 2 * curve.scale)


@internal
@pure
def _lock(curve: Curve, held: Position) -> uint256:
    """
    @dev n¤ that a position can cost at worst.
    """
    fine: uint256 = (curve.cap - curve.floor) * held.energy
    return max(held.money, fine) if held.consuming else fine


@internal
@pure
def _up(a: uint256, b: uint256) -> uint256:
    """
    @dev a / b, rounded up.
    """
    return (a + b - 1) // b


@internal
@pure
def _surplus(book: Book) -> int256:
    """
    @dev Promised production less promised consumption.
    """
    return convert(book.produced, int256) - convert(book.consumed, int256)


# -- internal: words --------------------------------------------------------------------------------------


@internal
@view
def _curve(slot: uint256) -> Curve:
    """
    @dev Curve of a slot that was opened.
    """
    word: uint256 = self.curves[slot]
    assert word != 0, "balance_market: slot not open"
    return Curve(
        base=word & PRICE,
        floor=(word >> FLOOR_AT) & PRICE,
        cap=(word >> CAP_AT) & PRICE,
        scale=(word >> SCALE_AT) & ENERGY,
        limit=word >> LIMIT_AT,
    )


@internal
@view
def _book(slot: uint256) -> Book:
    """
    @dev Promises of a slot that is open or waits to be settled.
    """
    word: uint256 = self.books[slot]
    assert word != 0, "balance_market: slot not open"
    return Book(
        produced=word & FIELD,
        consumed=(word >> CONSUMED_AT) & FIELD,
        positions=(word >> POSITIONS_AT) & FIELD,
    )


@internal
def _keepBook(slot: uint256, book: Book):
    """
    @dev Write a book of an open slot.
    """
    self.books[slot] = book.produced | (book.consumed << CONSUMED_AT) | (book.positions << POSITIONS_AT) | OPEN


@internal
@view
def _position(slot: uint256, index: uint256) -> Position:
    """
    @dev A promise, or zeros.
    """
    word: uint256 = self.positions[slot][index]
    return Position(
        energy=word & FIELD,
        money=(word >> MONEY_AT) & MONEY,
        certified=(word >> CERTIFIED_AT) & FIELD,
        meters=(word >> METERS_AT) & 255,
        consuming=word >> SIDE_AT != 0,
    )


@internal
def _keepPosition(slot: uint256, index: uint256, held: Position):
    """
    @dev Write a promise; one without energy leaves nothing behind.
    """
    word: uint256 = 0
    if held.energy != 0:
        word = held.energy | (held.money << MONEY_AT) | (held.certified << CERTIFIED_AT)
        word |= (held.meters << METERS_AT) | (convert(held.consuming, uint256) << SIDE_AT)
    self.positions[slot][index] = word


@internal
@view
def _account(index: uint256) -> Account:
    """
    @dev A member's money.
    """
    word: uint256 = self.accounts[index]
    return Account(free=word & HALF, locked=word >> LOCKED_AT)


@internal
def _keepAccount(index: uint256, account: Account):
    """
    @dev Write a member's money.
    """
    self.accounts[index] = account.free | (account.locked << LOCKED_AT)
