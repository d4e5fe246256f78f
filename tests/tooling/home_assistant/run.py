"""Runs a Home Assistant in its own environment: `python run.py FOLDER BROKER_PORT HTTP_PORT`; nothing is fetched.

Each change of an entity is a line of JSON on stdout; each line of JSON on stdin is an action that is carried out:
`["switch", "turn_on", "switch.name"]`. It knows nothing of the project: what it shows comes over MQTT.
"""

import asyncio
import json
import sys
from pathlib import Path

from homeassistant import bootstrap, runner
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback

CONFIGURATION = """
homeassistant:
  time_zone: Europe/Vienna
  country: AT
http:
  server_host: 127.0.0.1
  server_port: {port}
mqtt_statestream:
  base_topic: homeassistant
  include:
    entities: [sensor.attic_import, sensor.attic_export]
counter:
  attic:
template:
  - sensor:
      - name: attic_import
        unit_of_measurement: kWh
        device_class: energy
        state_class: total_increasing
        state: "{{{{ 1234.5 + states('counter.attic') | int(0) }}}}"
      - name: attic_export
        unit_of_measurement: kWh
        device_class: energy
        state_class: total_increasing
        state: "{{{{ 67.25 + states('counter.attic') | int(0) }}}}"
"""


def prepare(folder: Path, broker_port: int, http_port: int) -> None:
    """Write what a person would have clicked together: the MQTT integration with its broker."""
    (folder / ".storage").mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=http_port))
    entry = {
        "created_at": "2026-01-01T00:00:00+00:00",
        "modified_at": "2026-01-01T00:00:00+00:00",
        "data": {"broker": "127.0.0.1", "port": broker_port},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "mqtt",
        "entry_id": "0123456789abcdef0123456789abcdef",
        "minor_version": 2,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "title": "MQTT",
        "unique_id": None,
        "version": 1,
    }
    stored = {"version": 1, "minor_version": 4, "key": "core.config_entries", "data": {"entries": [entry]}}
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored))


def say(kind: str, **said: object) -> None:
    """One line for who started this."""
    print(json.dumps({"kind": kind, **said}, default=str), flush=True)


@callback  # type: ignore[untyped-decorator]
def changed(event: Event) -> None:
    """Tell of an entity."""
    state = event.data["new_state"]
    if state is not None:
        say("state", entity=state.entity_id, state=state.state, attributes=dict(state.attributes))


async def act(hass: HomeAssistant) -> None:
    """Carry out what is asked on stdin, until that ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        domain, action, entity = json.loads(line)
        await hass.services.async_call(domain, action, {"entity_id": entity}, blocking=True)


async def main(folder: Path) -> int:
    """Run it to its end."""
    config = runner.RuntimeConfig(config_dir=str(folder), skip_pip=True, recovery_mode=False)
    hass = await bootstrap.async_setup_hass(config)
    if hass is None:
        return 1
    hass.bus.async_listen(EVENT_STATE_CHANGED, changed)
    say("begun", components=sorted(hass.config.components))
    for state in hass.states.async_all():
        say("state", entity=state.entity_id, state=state.state, attributes=dict(state.attributes))
    asking = hass.async_create_background_task(act(hass), "act")
    result: int = await hass.async_run(attach_signals=True)
    asking.cancel()
    return result


if __name__ == "__main__":
    place = Path(sys.argv[1])
    prepare(place, int(sys.argv[2]), int(sys.argv[3]))
    sys.exit(asyncio.run(main(place)))
