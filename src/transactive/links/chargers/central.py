"""The central system of one charger: it listens where the charger connects, in a thread of its own.

Security profiles as OCPP has them: 0 in the clear, 1 with the charger's password, 2 with TLS besides. Below 2 only
chargers of a private network are let in.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as TooLate
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from ocpp.exceptions import OCPPError
from websockets.asyncio.server import Server, ServerConnection, basic_auth, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from transactive.core.errors import InputError
from transactive.links.addresses import DevicePlace
from transactive.links.chargers.knocking import bounded_connection
from transactive.links.chargers.station import ChargerLimit, ChargingStation
from transactive.links.chargers.v16 import Line16
from transactive.links.chargers.v201 import Line201

VERSIONS: dict[str, tuple[str, type[Line16] | type[Line201]]] = {
    "ocpp2.0.1": ("2.0.1", Line201),
    "ocpp1.6": ("1.6", Line16),
}
PATIENCE_SECONDS = 10.0
MOST_BYTES = 65_536
Result = TypeVar("Result")


class ChargerSecurity(NamedTuple):
    """password: of the charger, empty without one. certificate, key: files of TLS, empty without it."""

    password: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def profile(self) -> int:
        """The security profile of OCPP."""
        if not self.password:
            return 0
        return 2 if self.certificate else 1


class CentralSystem:
    """Listens for one charger until it is ended. station: what is known of it. port: on which it listens."""

    def __init__(
        self, place: DevicePlace, security: ChargerSecurity, connector: int, tell: Callable[[str], None]
    ) -> None:
        """place: where it listens, and the charger's name. tell: hears in words what happens.

        Raises InputError where nothing can listen there, or the files of TLS cannot be read.
        """
        self._name, self._security, self._tell = place.rest, security, tell
        self.station = ChargingStation(connector)
        self._line: Line16 | Line201 | None = None
        self._open: ServerConnection | None = None
        context = _context(security)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._server = self._wait(self._listen(place.host, place.port, context))
        except OSError as error:
            self._stop()
            raise InputError(f"{place.host}:{place.port}: no charger can connect there ({error})") from None
        self.port: int = self._server.sockets[0].getsockname()[1]

    def limit(self, power_w: int, seconds: int, how: ChargerLimit) -> None:
        """Limit what the car draws [W] from now on, for some seconds. Raises OSError where the charger does not."""
        line = self._there()
        self._accepted(self._wait(line.limit(power_w, seconds, how)))

    def release(self) -> None:
        """Let the car draw what the charger lets it. Raises OSError where that is not there."""
        line = self._there()
        self._accepted(self._wait(line.release()))

    def close(self) -> None:
        """Come to an end."""
        self._server.close()
        try:
            self._wait(self._server.wait_closed())
        finally:
            self._stop()

    def _there(self) -> Line16 | Line201:
        """The charger's line. Raises OSError without one."""
        if self._line is None:
            raise OSError("the charger is not connected")
        return self._line

    def _accepted(self, answer: str) -> None:
        """Raise OSError for an answer that is a refusal."""
        if answer != "Accepted":
            raise OSError(f"the charger refuses: {answer}")

    def _wait(self, what: Coroutine[Any, Any, Result]) -> Result:
        """The result of what is done in the other thread. Raises OSError where it fails, or takes too long."""
        asked = asyncio.run_coroutine_threadsafe(what, self._loop)
        try:
            return asked.result(PATIENCE_SECONDS + 1)
        except (TooLate, TimeoutError):
            asked.cancel()
            raise OSError("the charger does not answer") from None
        except (ConnectionClosed, OCPPError) as error:
            raise OSError(f"the charger does not do it: {error}") from None

    async def _listen(self, host: str, port: int, context: ssl.SSLContext | None) -> Server:
        """Begin to listen."""
        password = self._security.password
        auth = basic_auth(realm="OCPP", credentials=(self._name, password)) if password else None

        async def let_in(connection: ServerConnection, request: Request) -> Response | None:
            if request.path.rpartition("/")[2] != self._name:
                return connection.respond(HTTPStatus.NOT_FOUND, "no such charger\n")
            if self._security.profile < 2 and not ipaddress.ip_address(connection.remote_address[0]).is_private:
                return connection.respond(HTTPStatus.FORBIDDEN, "from outside only with TLS and a password\n")
            return await auth(connection, request) if auth else None

        return await serve(
            self._serve,
            host,
            port,
            ssl=context,
            process_request=let_in,
            subprotocols=[Subprotocol(name) for name in VERSIONS],
            max_size=MOST_BYTES,
            create_connection=bounded_connection(),
        )

    async def _serve(self, connection: ServerConnection) -> None:
        """Speak with the charger until its line ends; a new line takes the place of one that was there."""
        if connection.subprotocol is None:
            await connection.close(1002, "speaks neither OCPP 1.6 nor 2.0.1")
            return
        version, kind = VERSIONS[connection.subprotocol]
        line = kind(self._name, connection, self.station, PATIENCE_SECONDS)
        if self._open is not None:
            self._open.transport.abort()
        self._open = connection
        self._line, station = line, self.station
        station.line, station.version, station.security = station.line + 1, version, self._security.profile
        self._tell(f"charger {self._name} is there: OCPP {version}, security profile {station.security}")
        try:
            await line.start()
        except ConnectionClosed:
            pass
        finally:
            if self._line is line:
                self._line, station.version = None, ""
                self._tell(f"charger {self._name} is away")

    def _stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _context(security: ChargerSecurity) -> ssl.SSLContext | None:
    """TLS of the central system, None without. Raises InputError."""
    if not security.certificate:
        return None
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(security.certificate, security.key or None)
    except OSError as error:
        raise InputError(f"TLS of the charger: {error}; check certificate and key") from None
    return context
