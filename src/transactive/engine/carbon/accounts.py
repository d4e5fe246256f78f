"""Carbon of a run's slots: factors from its data, and what flows over its network as its meters say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transactive.carbon.accounting import CarbonSlot, Factors, account
from transactive.carbon.certificates.storage import Lots
from transactive.carbon.credits.assets import assets_of, given_up
from transactive.carbon.footprints.grid import GridMix
from transactive.carbon.footprints.tracing import Wiring
from transactive.config.setting import Setting
from transactive.core.tables import Readings
from transactive.core.trades.delivery import Delivery
from transactive.core.units import IntArray
from transactive.market.mechanisms import Site
from transactive.market.network.metered_flow import MeteredFlow


class CarbonAccounts:
    """Certificates and footprints, slot by slot; `site` where members are on a network. grid_mix: of a slot."""

    def __init__(self, setting: Setting, grid_mix: Callable[[int], GridMix], site: Site | None) -> None:
        self._devices, self._grid_mix = setting.community.devices, grid_mix
        self._generation_g, self._policy = setting.community.generation_g, setting.community.certificate_policy
        self._assets = assets_of(setting.community)
        self._site, self._flow = site, MeteredFlow(site.network) if site else None

    def first_lots(self, slot: int) -> Lots:
        """What batteries hold before a first slot: nothing, or energy of unknown origin at the grid's mixes of then."""
        held = self._devices.first_charged_wh
        if not held.any():
            return Lots.empty(len(held))
        mix = self._grid_mix(slot)
        return Lots.uncertified(held, mix.residual, mix.average)

    def account(
        self, readings: Readings, delivery: Delivery, lots: Lots, owed_wh: IntArray | None = None
    ) -> CarbonSlot:
        """Certificates and footprints of a slot; what nobody metered gives no certificates.

        owed_wh: certificates that left each member beyond what it made, (members,), which its production pays back.
        """
        mix = self._grid_mix(readings.slot)
        factors = Factors(self._generation_g, mix)
        without = given_up(self._assets, len(readings.import_wh), readings.slot) | readings.estimated
        lots = lots.holding(self._devices.drawn_wh(readings.discharge_wh), mix.residual, mix.average)
        rules = self._wiring(readings), self._policy, without
        return account(readings, delivery, self._devices, lots, factors, *rules, owed_wh)

    def _wiring(self, readings: Readings) -> Wiring | None:
        """What flows over the network's lines, also what is the supplier's; None without a network."""
        if self._site is None or self._flow is None:
            return None
        network, node = self._site.network, self._site.node
        net_wh = np.zeros(len(network), np.int64)
        np.add.at(net_wh, node, readings.import_wh - readings.export_wh)
        return Wiring(network, node, self._flow.flows(net_wh))
