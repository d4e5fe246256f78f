"""Meters as they are read: over HTTP, Modbus, a serial port and TCP, each against a device that is not ours."""

import json
import os
import pty
import struct
import threading
from base64 import b64encode
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sunspec2.device as sunspec  # type: ignore[import-untyped]
import sunspec2.modbus.client as sunspec_client  # type: ignore[import-untyped]

from tests.modbus import modbus_server
from tests.unit.test_meter_profiles import sample
from tests.waiting import until
from transactive.cli.node.probing import probe_meter
from transactive.core.errors import DataError, InputError
from transactive.links.modbus import ModbusClient, RefusedAddress
from transactive.links.sources.address import MeterAddress, open_meter
from transactive.metering.meters.conformance import check_meter_source
from transactive.metering.meters.profile import ModbusProfile, load_meter_profile

TELEGRAM = (Path(__file__).parents[1] / "unit" / "telegrams" / "v5.txt").read_bytes()


@contextmanager
def http_device(answers: dict[str, str], heard: list[str], status: int = 200):
    class Device(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.headers.get("Authorization", ""))
            known = self.path in answers
            self.send_response(status if known else 404)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(answers.get(self.path, "").encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Device)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def first(source):
    with closing(source.messages()) as messages:
        return source.decode(next(messages))


def test_a_device_is_asked_over_http_with_its_token_or_password():
    raw, state = sample("enphase-envoy")
    heard: list[str] = []
    with http_device(json.loads(raw), heard) as place:
        assert (
            first(open_meter(MeterAddress(f"http://{place}", load_meter_profile("enphase-envoy"), secret="abc")))
            == state
        )
        raw, state = sample("shelly-gen1")
    with http_device(json.loads(raw), heard) as place:
        assert first(open_meter(MeterAddress(f"http://me:pass@{place}", load_meter_profile("shelly-gen1")))) == state
    assert heard == ["Bearer abc", "Basic " + b64encode(b"me:pass").decode()]


def test_a_device_that_refuses_or_sends_elsewhere_is_no_meter():
    answers = json.loads(sample("shelly-gen1")[0])
    for status in (302, 401, 500):
        with http_device(answers, []) as place, pytest.raises(OSError, match="404"):
            first(open_meter(MeterAddress(f"http://{place}", load_meter_profile("shelly-em-gen2"))))
        with http_device(answers, [], status) as place, pytest.raises(OSError, match=str(status)):
            first(open_meter(MeterAddress(f"http://{place}", load_meter_profile("shelly-gen1"))))


def model_words(number: int, values: dict[str, int]) -> list[int]:
    """Words of a SunSpec model as its own definition lays them out, points that are not named as not there."""
    words = list[int]()
    for point in sunspec.get_model_def(number)["group"]["points"]:
        size = point["size"]
        if point["name"] in values:
            data = sunspec.mb.point_type_info[point["type"]].to_data(values[point["name"]], size * 2)
        else:
            data = {"int16": b"\x80\0", "sunssf": b"\x80\0", "string": bytes(2 * size)}.get(
                point["type"], b"\xff" * 2 * size
            )
        words += struct.unpack(f">{size}H", data)
    words[:2] = [number, len(words) - 2]
    return words


@pytest.fixture(scope="module")
def modbus_device():
    meter = {"TotWhExp": 1_234_567, "TotWhImp": 98_765, "TotWh_SF": 1}
    inverter = {"WH": 7_654_321, "WH_SF": -1}
    words = [
        0x5375,
        0x6E53,
        *model_words(1, {"DA": 1}),
        *model_words(103, inverter),
        *model_words(203, meter),
        0xFFFF,
        0,
    ]
    with modbus_server(40_000, words) as port:
        yield port


def test_sunspec_points_are_read_as_the_tools_of_sunspec_read_them(modbus_device):
    judge = sunspec_client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=modbus_device)
    judge.scan()
    meter, inverter = judge.models[203][0], judge.models[103][0]
    judge.close()
    url = f"modbus://127.0.0.1:{modbus_device}/1"
    source = open_meter(MeterAddress(url, load_meter_profile("sunspec-meter")))
    with closing(source.messages()) as messages:
        raw = next(messages)
    state = source.decode(raw)
    assert (state.import_wh, state.export_wh) == (meter.TotWhImp.cvalue, meter.TotWhExp.cvalue) == (987_650, 12_345_670)
    check_meter_source(source, {raw: state})
    made = first(open_meter(MeterAddress(url, load_meter_profile("sunspec-inverter"))))
    assert made.generation_wh == int(inverter.WH.cvalue) == 765_432


@pytest.mark.parametrize("name", ["sunspec-meter", "sunspec-inverter"])
def test_each_point_stands_where_its_model_says(name):
    profile = load_meter_profile(name)
    assert isinstance(profile, ModbusProfile)
    names = {"import": "TotWhImp", "export": "TotWhExp", "generation": "WH"}
    for point in profile.points:
        for model in point.models:
            offsets, place = dict[str, int](), 0
            for each in sunspec.get_model_def(model)["group"]["points"]:
                offsets[each["name"]], place = place, place + each["size"]
            wanted = names[point.register]
            assert (point.offset, point.exponent) == (
                offsets[wanted],
                offsets[f"{wanted.removesuffix('Imp').removesuffix('Exp')}_SF"],
            )


def test_a_device_that_has_no_such_address_says_so(modbus_device):
    with (
        ModbusClient(f"modbus://127.0.0.1:{modbus_device}") as client,
        pytest.raises(RefusedAddress, match="no such address"),
    ):
        client.read("holding", 10, 2)


def test_a_meter_on_a_serial_port_is_read():
    ours, device = pty.openpty()
    port = os.ttyname(device)
    source = open_meter(MeterAddress(f"serial://{port}", load_meter_profile("dsmr-p1")))
    found = []

    def listen():
        with closing(source.messages()) as messages:
            for raw in messages:
                with suppress(DataError):  # what came before the port was set
                    found.append(source.decode(raw))
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    os.set_blocking(ours, False)

    def heard():
        with suppress(BlockingIOError):
            os.write(ours, TELEGRAM)
        return not thread.is_alive()

    until(heard, "a telegram of the serial port")
    os.close(ours)
    os.close(device)
    assert found[0].import_wh == 6_825


def test_a_probe_says_what_a_meter_in_a_file_or_on_the_network_says(tmp_path, capsys):
    (tmp_path / "telegrams").write_bytes(TELEGRAM + TELEGRAM.replace(b"004.426", b"004.427"))
    facts = probe_meter(str(tmp_path / "telegrams"), "dsmr-p1", "", 3_600, 5, 5, live=True)
    assert (facts["telegrams"], facts["not_read"], facts["import_wh"]) == (1, 1, 6_825)
    assert "import 6825 Wh, export 2444 Wh" in capsys.readouterr().err
    raw, _ = sample("homewizard-p1")
    with http_device(json.loads(raw), []) as place:
        facts = probe_meter(f"http://{place}", "homewizard-p1", "", 0, 1, 5, live=False)
    assert (facts["export_wh"], facts["proved_with"]) == (8_876_008, "documented sample")
    with pytest.raises(InputError, match="does nobody else read the meter"):
        probe_meter(f"http://{place}", "homewizard-p1", "", 0, 1, 5, live=False)
