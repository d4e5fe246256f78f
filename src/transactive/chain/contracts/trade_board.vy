# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Trade board
@notice Members list energy of a slot at a fixed price, others buy it in whole or in part, and the seller is paid when
        its meter has certified the delivery.
@dev One contract for what the seed sketches in four: a shop with a standing price, a list of trades, payment in the
     chain's coin or in any ERC-20, buying and selling with an account of energy.

     Prices are in units of the currency per Wh. A purchase moves energy from the seller's account of the slot to the
     buyer's (all accounts of a slot sum to zero) and its exact price into escrow. What a seller delivered in a slot
     is shared among its buyers pro rata to what they bought; for that the seller is paid, for the rest the buyers have
     their money back, rounded in their favour to the Wh. Money waits as a credit that its owner withdraws, so nobody
     can hold up somebody else's payment. Members are known by their index in the registry.

     ENFORCED
       - nothing is sold twice, beyond what was offered, after its expiry, or for a past or closed slot
       - a purchase costs what it says, to the unit; a trade's price never changes
       - no seller is paid before the meter certified, and none for more than it sold
       - the contract holds every escrow and every credit
       - pause stops listings, requests and purchases, never cancelling, readings, settling and withdrawing; a
         suspended member can still do all of those
       - without a reading nothing counts as delivered, and the buyers have their money back
     DETECTABLE
       - a seller that sells and does not deliver: it is not paid, but it is not fined either (`balance_market` does
         that); the registrar can suspend it
       - an operator that states a reading which the meter did not make. The meter's own signature replaces it within
         the window, whoever brings it
     TRUSTED
       - the registry's owner to pause, the registrar for the keys of the meters
       - the currency: an ERC-20 whose balances change by transfers only
     What a member exports can also be sold on another market, which reads the same meter: communities run one of them
     for a slot, or their gateways split what they sign.
     PRIVACY: trades and readings of each member are public. Use it on an embedded or a permissioned chain only.
"""

from ethereum.ercs import IERC20

from modules import metered
from modules import tokens

initializes: metered
exports: (metered.getRegistry, metered.getClock, metered.getReading, metered.DOMAIN_SEPARATOR)

struct Trade:
    seller: uint256  # index
    slot: uint256  # start, Unix s
    expiry: uint256  # Unix s; no purchase from then on
    price: uint256  # per Wh
    remaining: uint256  # Wh that can be bought
    sold: uint256  # Wh

struct Request:
    buyer: uint256  # index
    slot: uint256  # start, Unix s
    expiry: uint256  # Unix s; no sale from then on
    price: uint256  # per Wh, in escrow for what remains
    remaining: uint256  # Wh still wanted

struct Account:
    bought: uint256  # Wh
    sold: uint256  # Wh
    others: uint256  # Wh bought in trades other than the first, which have a word of their own
    certified: uint256  # Wh exported, as read so far
    first: uint256  # first trade bought from, plus one
    firstSettled: bool

SELLERS: constant(uint256) = 1 | 4  # roles: producer, storage
BUYERS: constant(uint256) = 2 | 4  # roles: consumer, storage
MAX_BATCH: constant(uint256) = 64
PRICE_END: constant(uint256) = 2**64
ENERGY_END: constant(uint256) = 2**44
# words: a trade is seller (24), slot, expiry (40 each), price (64), remaining, sold (44 each); a request likewise
SLOT_AT: constant(uint256) = 24
EXPIRY_AT: constant(uint256) = 64
PRICE_AT: constant(uint256) = 104
REMAINING_AT: constant(uint256) = 168
SOLD_AT: constant(uint256) = 212
INDEX: constant(uint256) = 2**24 - 1
TIME: constant(uint256) = 2**40 - 1
PRICE: constant(uint256) = PRICE_END - 1
ENERGY: constant(uint256) = ENERGY_END - 1
# an account is bought, sold, others (44 each), certified (60), first (40), two bits
ACCOUNT_SOLD_AT: constant(uint256) = 44
OTHERS_AT: constant(uint256) = 88
CERTIFIED_AT: constant(uint256) = 132
FIRST_AT: constant(uint256) = 192
FIRST_SETTLED_AT: constant(uint256) = 232
CERTIFIED: constant(uint256) = 2**60 - 1
USED: constant(uint256) = 2**255  # set once written, so that a seller pays for the word and not its first buyer
SETTLED: constant(uint256) = 2**255  # on the word of a deal

currency: public(immutable(IERC20))  # the zero address stands for the chain's own coin

paused: public(bool)
energyPrice: public(HashMap[uint256, uint256])  # standing price per Wh, by index
credits: public(HashMap[uint256, uint256])  # money to withdraw, by index
tradeCount: uint256
trades: HashMap[uint256, uint256]
requestCount: public(uint256)
requests: HashMap[uint256, uint256]
shops: HashMap[uint256, HashMap[uint256, uint256]]  # by slot and index: trade at the standing price, plus one
accounts: HashMap[uint256, HashMap[uint256, uint256]]  # by slot and index
deals: HashMap[uint256, HashMap[uint256, uint256]]  # by trade and buyer: Wh, unless it is the buyer's first trade

event EnergyPriceSet:
    seller: indexed(uint256)
    price: uint256

event EnergyAvailableSet:
    seller: indexed(uint256)
    slot: indexed(uint256)
    energy: uint256

event TradeAdded:
    trade: indexed(uint256)
    seller: indexed(uint256)
    slot: indexed(uint256)
    energy: uint256
    price: uint256
    expiry: uint256

event TradeCancelled:
    trade: indexed(uint256)
    energy: uint256

event EnergyBought:
    trade: indexed(uint256)
    buyer: indexed(uint256)
    energy: uint256
    total: uint256

event EnergyRequested:
    request: indexed(uint256)
    buyer: indexed(uint256)
    slot: indexed(uint256)
    energy: uint256
    price: uint256
    expiry: uint256

event RequestCancelled:
    request: indexed(uint256)
    energy: uint256

event EnergySold:
    request: indexed(uint256)
    trade: indexed(uint256)
    seller: indexed(uint256)
    energy: uint256
    total: uint256

event SettlementSkipped:
    trade: indexed(uint256)
    buyer: indexed(uint256)

event EnergyDelivered:
    trade: indexed(uint256)
    buyer: indexed(uint256)
    energy: uint256
    paid: uint256
    returned: uint256

event Withdrawn:
    index: indexed(uint256)
    amount: uint256

event PauseSet:
    paused: bool


@deploy
def __init__(registry: address, currency_: address, slotSeconds: uint256, gateSeconds: uint256, window: uint256):
    """
    @notice Fix registry, currency and clock for ever.
    @param currency_ ERC-20, or the zero address for the chain's own coin
    @param slotSeconds length of a slot
    @param gateSeconds trading ends so long before a slot starts
    @param window readings count for so long after their slot ends
    """
    metered.__init__("TransActive trade board", registry, slotSeconds, gateSeconds, window)
    currency = IERC20(currency_)


# -- selling ----------------------------------------------------------------------------------------------


@external
def setEnergyPrice(price: uint256):
    """
    @notice Set the caller's standing price per Wh, for what it makes available from now on.
    """
    index: uint256 = self._seller()
    assert 0 < price and price < PRICE_END, "trade_board: bad price"
    self.energyPrice[index] = price
    log EnergyPriceSet(seller=index, price=price)


@external
def setEnergyAvailable(slot: uint256, energy: uint256) -> uint256:
    """
    @notice Set how much of a slot's energy can now be bought from the caller at its standing price. What was available
            at an earlier standing price is taken back.
    @param energy Wh; zero takes back all
    @return the trade's number
    """
    index: uint256 = self._seller()
    price: uint256 = self.energyPrice[index]
    assert price > 0, "trade_board: no price set"
    known: uint256 = self.shops[slot][index]
    log EnergyAvailableSet(seller=index, slot=slot, energy=energy)
    if known > 0:
        trade: Trade = self._trade(known - 1)
        if trade.price == price or energy == 0:
            metered._beforeGate(slot)
            assert energy + trade.sold < ENERGY_END, "trade_board: bad amount"
            trade.remaining = energy
            self._keepTrade(known - 1, trade)
            return known - 1
        self._withdrawTrade(known - 1, trade)
    made: uint256 = self._list(index, slot, energy, price, 0)
    self.shops[slot][index] = made + 1
    return made


@external
def addAvailableTrade(slot: uint256, energy: uint256, price: uint256, expiry: uint256) -> uint256:
    """
    @notice List energy of a slot at a price of its own.
    @param slot start, Unix s
    @param energy Wh
    @param price per Wh
    @param expiry Unix s, at the latest the gate of the slot; zero for the gate
    @return the trade's number
    """
    return self._list(self._seller(), slot, energy, price, expiry)


@external
def cancelTrade(trade: uint256):
    """
    @notice Seller: take back what was not sold. Never paused.
    """
    found: Trade = self._trade(trade)
    assert metered._member(msg.sender)[0] == found.seller, "trade_board: not yours"
    assert found.remaining > 0, "trade_board: nothing left"
    self._withdrawTrade(trade, found)


@external
def sellEnergy(request: uint256, energy: uint256) -> uint256:
    """
    @notice Sell to a request, in whole or in part; its money is in escrow already.
    @param energy Wh
    @return number of the trade that it makes
    """
    index: uint256 = self._seller()
    found: Request = self._request(request)
    assert block.timestamp < found.expiry, "trade_board: expired"
    assert index != found.buyer, "trade_board: own trade"
    assert 0 < energy and energy <= found.remaining, "trade_board: bad amount"
    found.remaining -= energy
    self._keepRequest(request, found)
    made: uint256 = self._add(
        Trade(
            seller=index, slot=found.slot, expiry=found.expiry, price=found.price, remaining=0, sold=energy
        )
    )
    self._move(made, found.slot, index, found.buyer, energy)
    log EnergySold(request=request, trade=made, seller=index, energy=energy, total=found.price * energy)
    return made


# -- buying -----------------------------------------------------------------------------------------------


@external
@payable
@nonreentrant
def buyEnergy(trade: uint256, energy: uint256, total: uint256):
    """
    @notice Buy a listed trade in whole or in part. The money waits here until the delivery is certified.
    @param energy Wh
    @param total price x energy, exactly; sent along if the currency is the chain's coin
    """
    index: uint256 = self._buyer()
    found: Trade = self._trade(trade)
    assert block.timestamp < found.expiry, "trade_board: expired"
    assert index != found.seller, "trade_board: own trade"
    assert 0 < energy and energy <= found.remaining, "trade_board: bad amount"
    assert total == found.price * energy, "trade_board: wrong total"
    # remaining and sold together are below ENERGY_END, so neither leaves its place
    self.trades[trade] += (energy << SOLD_AT) - (energy << REMAINING_AT)
    self._move(trade, found.slot, found.seller, index, energy)
    self._take(total)
    log EnergyBought(trade=trade, buyer=index, energy=energy, total=total)


@external
@payable
@nonreentrant
def requestEnergy(slot: uint256, energy: uint256, price: uint256, expiry: uint256) -> uint256:
    """
    @notice Ask for energy of a slot at a price and put its money into escrow; producers answer with `sellEnergy`.
    @param expiry Unix s, at the latest the gate of the slot; zero for the gate
    @return the request's number
    """
    index: uint256 = self._buyer()
    end: uint256 = self._checked(slot, energy, price, expiry)
    request: uint256 = self.requestCount
    self.requestCount = request + 1
    self._keepRequest(request, Request(buyer=index, slot=slot, expiry=end, price=price, remaining=energy))
    self._take(price * energy)
    log EnergyRequested(request=request, buyer=index, slot=slot, energy=energy, price=price, expiry=end)
    return request


@external
def cancelRequest(request: uint256):
    """
    @notice Buyer: end a request, before or after its expiry; the money of what was not sold becomes a credit. Never
            paused.
    """
    found: Request = self._request(request)
    assert metered._member(msg.sender)[0] == found.buyer, "trade_board: not yours"
    energy: uint256 = found.remaining
    assert energy > 0, "trade_board: nothing left"
    found.remaining = 0
    self._keepRequest(request, found)
    self.credits[found.buyer] += found.price * energy
    log RequestCancelled(request=request, energy=energy)


# -- delivery ---------------------------------------------------------------------------------------------


@external
def certify(
    slot: uint256, meter: uint256, exported: uint256, imported: uint256, v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Anyone: bring a reading signed by a seller's meter, within the window after the slot.
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
def settle(trade: uint256, buyers: DynArray[uint256, MAX_BATCH]) -> uint256:
    """
    @notice Anyone: pay for what was delivered and return the rest, after the window of the slot.
    @param buyers indices of buyers of the trade; one without a deal, such as settled before, is left out, with an event
    @return deals that were settled
    """
    found: Trade = self._trade(trade)
    metered._afterWindow(found.slot)
    seller: Account = self._account(found.slot, found.seller)
    earned: uint256 = 0
    settled: uint256 = 0
    for buyer: uint256 in buyers:
        energy: uint256 = self._takeDeal(trade, found.slot, buyer)
        if energy == 0:
            log SettlementSkipped(trade=trade, buyer=buyer)
            continue
        settled += 1
        delivered: uint256 = energy * min(seller.certified, seller.sold) // seller.sold
        paid: uint256 = found.price * delivered
        returned: uint256 = found.price * energy - paid
        earned += paid
        if returned > 0:
            self.credits[buyer] += returned
        log EnergyDelivered(trade=trade, buyer=buyer, energy=delivered, paid=paid, returned=returned)
    self.credits[found.seller] += earned
    return settled


@external
@nonreentrant
def withdraw(amount: uint256):
    """
    @notice Pay a member `amount` of its credit. Never paused, and open to suspended members.
    """
    index: uint256 = metered._member(msg.sender)[0]
    assert 0 < amount and amount <= self.credits[index], "trade_board: credit too low"
    self.credits[index] -= amount
    if currency.address == empty(address):
        assert raw_call(msg.sender, b"", value=amount, revert_on_failure=False), "trade_board: coin not taken"
    else:
        tokens._push(currency, msg.sender, amount)
    log Withdrawn(index=index, amount=amount)


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
def getNumAvailableTrades() -> uint256:
    """
    @notice How many trades were listed; their numbers are 0, 1, 2, … and stay.
    """
    return self.tradeCount


@external
@view
def getAvailableTrade(trade: uint256) -> Trade:
    """
    @notice A trade; it can be bought while something remains and the expiry has not come.
    """
    return self._trade(trade)


@external
@view
def getRequest(request: uint256) -> Request:
    """
    @notice A request; it can be answered while something remains and the expiry has not come.
    """
    return self._request(request)


@external
@view
def getBalance(index: uint256, slot: uint256) -> int256:
    """
    @notice A member's energy account of a slot in Wh: bought less sold.
    """
    account: Account = self._account(slot, index)
    return convert(account.bought, int256) - convert(account.sold, int256)


@external
@view
def getAccount(index: uint256, slot: uint256) -> Account:
    """
    @notice All that a member's energy account of a slot says.
    """
    return self._account(slot, index)


@external
@view
def getDeal(trade: uint256, buyer: uint256) -> (uint256, bool):
    """
    @notice Wh that a buyer has of a trade, and whether they are settled.
    """
    account: Account = self._account(self._trade(trade).slot, buyer)
    if account.first == trade + 1:
        return account.bought - account.others, account.firstSettled
    word: uint256 = self.deals[trade][buyer]
    return word & ENERGY, word & SETTLED != 0


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _seller() -> uint256:
    """
    @dev Index of a caller that may sell.
    """
    return self._beginner(SELLERS)


@internal
@view
def _buyer() -> uint256:
    """
    @dev Index of a caller that may buy.
    """
    return self._beginner(BUYERS)


@internal
@view
def _beginner(wanted: uint256) -> uint256:
    """
    @dev Index of a caller with one of these roles, while nothing is paused.
    """
    assert not self.paused, "trade_board: paused"
    index: uint256 = 0
    roles: uint256 = 0
    index, roles = metered._member(msg.sender)
    assert roles & wanted != 0, "trade_board: role missing"
    assert index <= INDEX, "trade_board: index too large"
    return index


@internal
@view
def _checked(slot: uint256, energy: uint256, price: uint256, expiry: uint256) -> uint256:
    """
    @dev The expiry of what is listed or asked for, if all of it is in range.
    """
    metered._beforeGate(slot)
    assert 0 < energy and energy < ENERGY_END, "trade_board: bad amount"
    assert 0 < price and price < PRICE_END, "trade_board: bad price"
    gate: uint256 = slot - metered.gateSeconds
    if expiry == 0:
        return gate
    assert block.timestamp < expiry and expiry <= gate, "trade_board: bad expiry"
    return expiry


@internal
def _list(seller: uint256, slot: uint256, energy: uint256, price: uint256, expiry: uint256) -> uint256:
    """
    @dev Offer energy as a new trade.
    """
    end: uint256 = self._checked(slot, energy, price, expiry)
    made: uint256 = self._add(
        Trade(seller=seller, slot=slot, expiry=end, price=price, remaining=energy, sold=0)
    )
    self._keepAccount(slot, seller, self._account(slot, seller))
    log TradeAdded(trade=made, seller=seller, slot=slot, energy=energy, price=price, expiry=end)
    return made


@internal
def _add(trade: Trade) -> uint256:
    """
    @dev Give a trade the next number.
    """
    number: uint256 = self.tradeCount
    self.tradeCount = number + 1
    self._keepTrade(number, trade)
    return number


@internal
def _withdrawTrade(number: uint256, trade: Trade):
    """
    @dev Nothing more of it can be bought.
    """
    log TradeCancelled(trade=number, energy=trade.remaining)
    trade.remaining = 0
    self._keepTrade(number, trade)


@internal
def _move(trade: uint256, slot: uint256, seller: uint256, buyer: uint256, energy: uint256):
    """
    @dev Move energy from the seller's account to the buyer's, and remember from which trade it is. Works on the words:
         each purchase pays for it.
    """
    giving: uint256 = self.accounts[slot][seller]
    assert ((giving >> ACCOUNT_SOLD_AT) & ENERGY) + energy < ENERGY_END, "trade_board: account full"
    self.accounts[slot][seller] = (giving + (energy << ACCOUNT_SOLD_AT)) | USED
    taking: uint256 = self.accounts[slot][buyer]
    assert (taking & ENERGY) + energy < ENERGY_END, "trade_board: account full"
    first: uint256 = (taking >> FIRST_AT) & TIME
    if first == 0:
        taking += (trade + 1) << FIRST_AT
    elif first != trade + 1:
        taking += energy << OTHERS_AT
        self.deals[trade][buyer] += energy
    self.accounts[slot][buyer] = (taking + energy) | USED


@internal
def _takeDeal(trade: uint256, slot: uint256, buyer: uint256) -> uint256:
    """
    @dev Wh of a deal, marked as settled; zero if there is nothing to settle.
    """
    account: Account = self._account(slot, buyer)
    if account.first == trade + 1:
        if account.firstSettled:
            return 0
        account.firstSettled = True
        self._keepAccount(slot, buyer, account)
        return account.bought - account.others
    word: uint256 = self.deals[trade][buyer]
    if word == 0 or word >= SETTLED:
        return 0
    self.deals[trade][buyer] = word | SETTLED
    return word


@internal
def _certify(slot: uint256, change: metered.Change):
    """
    @dev Count a reading for what the meter's owner sold.
    """
    account: Account = self._account(slot, change.owner)
    assert account.sold > 0, "trade_board: nothing sold"
    account.certified = convert(convert(account.certified, int256) + change.exported, uint256)
    self._keepAccount(slot, change.owner, account)


@internal
@payable
def _take(total: uint256):
    """
    @dev Take exactly `total` from the caller.
    """
    if currency.address == empty(address):
        assert msg.value == total, "trade_board: wrong coin"
    else:
        assert msg.value == 0, "trade_board: wrong coin"
        tokens._pull(currency, msg.sender, total)


@internal
@view
def _trade(number: uint256) -> Trade:
    """
    @dev A trade that was listed.
    """
    word: uint256 = self.trades[number]
    assert word != 0, "trade_board: no such trade"
    return Trade(
        seller=word & INDEX,
        slot=(word >> SLOT_AT) & TIME,
        expiry=(word >> EXPIRY_AT) & TIME,
        price=(word >> PRICE_AT) & PRICE,
        remaining=(word >> REMAINING_AT) & ENERGY,
        sold=word >> SOLD_AT,
    )


@internal
def _keepTrade(number: uint256, trade: Trade):
    """
    @dev Write a trade.
    """
    self.trades[number] = (
        trade.seller
        | (trade.slot << SLOT_AT)
        | (trade.expiry << EXPIRY_AT)
        | (trade.price << PRICE_AT)
        | (trade.remaining << REMAINING_AT)
        | (trade.sold << SOLD_AT)
    )


@internal
@view
def _request(number: uint256) -> Request:
    """
    @dev A request that was made.
    """
    word: uint256 = self.requests[number]
    assert word != 0, "trade_board: no such request"
    return Request(
        buyer=word & INDEX,
        slot=(word >> SLOT_AT) & TIME,
        expiry=(word >> EXPIRY_AT) & TIME,
        price=(word >> PRICE_AT) & PRICE,
        remaining=word >> REMAINING_AT,
    )


@internal
def _keepRequest(number: uint256, request: Request):
    """
    @dev Write a request.
    """
    self.requests[number] = (
        request.buyer
        | (request.slot << SLOT_AT)
        | (request.expiry << EXPIRY_AT)
        | (request.price << PRICE_AT)
        | (request.remaining << REMAINING_AT)
    )


@internal
@view
def _account(slot: uint256, index: uint256) -> Account:
    """
    @dev A member's energy account of a slot.
    """
    word: uint256 = self.accounts[slot][index]
    return Account(
        bought=word & ENERGY,
        sold=(word >> ACCOUNT_SOLD_AT) & ENERGY,
        others=(word >> OTHERS_AT) & ENERGY,
        certified=(word >> CERTIFIED_AT) & CERTIFIED,
        first=(word >> FIRST_AT) & TIME,
        firstSettled=(word >> FIRST_SETTLED_AT) & 1 != 0,
    )


@internal
def _keepAccount(slot: uint256, index: uint256, account: Account):
    """
    @dev Write a member's energy account of a slot.
    """
    self.accounts[slot][index] = (
        account.bought
        | (account.sold << ACCOUNT_SOLD_AT)
        | (account.others << OTHERS_AT)
        | (account.certified << CERTIFIED_AT)
        | (account.first << FIRST_AT)
        | (convert(account.firstSettled, uint256) << FIRST_SETTLED_AT)
        | USED
    )
