"""A car at a charger: limits with an end, and what the charger says of its meter and of the car."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from transactive.core.errors import ConfigError
from transactive.core.units import PPM
from transactive.links.addresses import charger_place
from transactive.links.chargers.central import CentralSystem, ChargerSecurity
from transactive.links.chargers.station import ChargerLimit
from transactive.node.dispatch.control import Task
from transactive.node.dispatch.device import UNTOLD, MovedDevice
from transactive.node.dispatch.profile import OcppDeviceProfile


class Charger(MovedDevice):
    """A charger that connects here. What its car holds is what it got of its need, since it was plugged in."""

    def __init__(self, profile: OcppDeviceProfile, folder: Path, tell: Callable[[str], None]) -> None:
        """folder: that the files of the profile are named in. Raises ConfigError, InputError."""
        super().__init__(profile)
        self._profile, self._line = profile, 0
        security = ChargerSecurity(_secret(folder, profile.password), *_paths(folder, profile))
        self.system = CentralSystem(charger_place(profile.address), security, profile.connector, tell)
        self._how = ChargerLimit(profile.unit, profile.volts, profile.phases)

    def held_wh(self) -> int:
        """What its car has of what it needs [Wh], by its charge where it tells that; nothing without a car."""
        station, profile = self.system.station, self._profile
        if not station.version:
            raise OSError("the charger is not connected")
        if station.transaction is None:
            return 0
        if station.charge_percent is not None and profile.battery_wh:
            missing = int((profile.target_percent - station.charge_percent) * profile.battery_wh / 100)
            return min(max(profile.capacity_wh - missing, 0), profile.capacity_wh)
        return min(station.session_wh * profile.efficiency_ppm // PPM, profile.capacity_wh)

    def counted_wh(self) -> tuple[int, int] | None:
        """Where its meter stands [Wh]; None before it has said that."""
        register = self.system.station.register_wh
        return None if register is None else (register, 0)

    def lease(self, task: Task, at: float) -> int:
        """Tell it what its car may draw, also when it has connected anew; returns what that draws [W]."""
        line = self.system.station.line
        if line != self._line:
            self._line, self._told = line, UNTOLD
        return super().lease(task, at)

    def drawn_w(self, task: Task) -> int:
        """What its car draws if it does what it is told [W]."""
        return (task.power_w or 0) if self.system.station.transaction is not None else 0

    def close(self) -> None:
        """Listen no longer."""
        self.system.close()

    def _tell(self, task: Task) -> None:
        """Limit the car for as long as the lease holds, or let it draw what the charger lets it."""
        if task.power_w is None:
            self.system.release()
        else:
            self.system.limit(task.power_w, self._profile.watchdog, self._how)


def _secret(folder: Path, name: str) -> str:
    """The password in a file, empty without one. Raises ConfigError."""
    try:
        return (folder / name).read_text().strip() if name else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: the password of the charger cannot be read ({error})") from None


def _paths(folder: Path, profile: OcppDeviceProfile) -> tuple[str, str]:
    """Files of TLS, as they are found from anywhere."""
    certificate, key = (str(folder / name) if name else "" for name in (profile.certificate, profile.key))
    return certificate, key
