"""openadr3-client, in both roles, against a VTN: says as JSON what it saw, and what the published document says of it.

Run by the Python of `build/judges`: openadr.py URL CERTIFICATE KEY BL_ID BL_SECRET VEN_ID VEN_SECRET [DOCUMENT]
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

url, certificate, key, bl_id, bl_secret, ven_id, ven_secret, *documents = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = certificate

import requests  # noqa: E402 - it reads the certificate as it begins
from openadr3_client._models.common.interval import Interval  # noqa: E402
from openadr3_client._models.common.interval_period import IntervalPeriod  # noqa: E402
from openadr3_client.bl.http_factory import BusinessLogicHttpClientFactory  # noqa: E402
from openadr3_client.oadr310._vtn.interfaces.filters import PaginationFilter, TargetFilter  # noqa: E402
from openadr3_client.oadr310.models.event.event import EventUpdate, NewEvent  # noqa: E402
from openadr3_client.oadr310.models.event.event_payload import EventPayload, EventPayloadType  # noqa: E402
from openadr3_client.oadr310.models.program.program import NewProgram, ProgramUpdate  # noqa: E402
from openadr3_client.oadr310.models.report.report import NewReport, ReportResource  # noqa: E402
from openadr3_client.oadr310.models.report.report_payload import ReportPayload, ReportPayloadType  # noqa: E402
from openadr3_client.oadr310.models.resource.resource import NewResourceVenRequest  # noqa: E402
from openadr3_client.oadr310.models.subscriptions.subscription import (  # noqa: E402
    NewSubscription,
    Object,
    ObjectOperation,
    Operation,
)
from openadr3_client.oadr310.models.ven.ven import NewVenBlRequest  # noqa: E402
from openadr3_client.ven.http_factory import VirtualEndNodeHttpClientFactory  # noqa: E402
from openadr3_client.version import OADRVersion  # noqa: E402

START = datetime(2024, 6, 7, 12, tzinfo=UTC)
answers: list[tuple[str, str, int, Any]] = []
heard: list[dict[str, Any]] = []
arrived = threading.Condition()


def keep(response: requests.Response, *_: Any, **__: Any) -> None:
    path = urlsplit(response.url).path
    answers.append((str(response.request.method), path, response.status_code, response.json()))


class Callback(BaseHTTPRequestHandler):
    """Says back what its query echo says, and keeps what it is told."""

    def do_GET(self) -> None:
        (echo,) = parse_qs(urlsplit(self.path).query)["echo"]
        self.answer(echo.encode())

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with arrived:
            heard.append({"bearer": self.headers["Authorization"], **said})
            arrived.notify_all()
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def interval(number: int, *, kind: Any, payload: Any, value: float) -> Any:
    period = IntervalPeriod(start=START + timedelta(hours=number), duration=timedelta(hours=1))
    return Interval(id=number, interval_period=period, payloads=(payload(type=kind, values=(value,)),))


def sessions(client: Any) -> None:
    for part in vars(client).values():
        if hasattr(part, "session"):
            part.session.hooks["response"].append(keep)


callbacks = ThreadingHTTPServer(("localhost", 0), Callback)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)
callbacks.socket = tls.wrap_socket(callbacks.socket, server_side=True)
threading.Thread(target=callbacks.serve_forever, daemon=True).start()

common: dict[str, Any] = {
    "vtn_base_url": url,
    "version": OADRVersion.OADR_310,
    "verify_vtn_tls_certificate": Path(certificate),
}
bl: Any = BusinessLogicHttpClientFactory.create_http_bl_client(client_id=bl_id, client_secret=bl_secret, **common)
ven: Any = VirtualEndNodeHttpClientFactory.create_http_ven_client(client_id=ven_id, client_secret=ven_secret, **common)
for one in (bl, ven):
    sessions(one)

program = bl.programs.create_program(NewProgram(program_name="judged"))
program = bl.programs.update_program_by_id(program.id, ProgramUpdate(program_name="judged", targets=("judged",)))
told = tuple(
    interval(k, kind=EventPayloadType.PRICE, payload=EventPayload, value=value)
    for k, value in enumerate((0.2, 0.21, 0.22))
)
event = bl.events.create_event(NewEvent(programID=program.id, event_name="first", intervals=told, targets=("anna",)))
operation = ObjectOperation(
    objects=(Object.EVENT,), operations=(Operation.POST, Operation.PUT), bearer_token="heard",
    callback_url=f"https://localhost:{callbacks.server_port}/told",
)  # fmt: skip
subscription = ven.subscriptions.create_subscription(
    NewSubscription(client_name="judge", object_operations=(operation,), targets=("anna",))
)
changed = bl.events.update_event_by_id(
    event.id, EventUpdate(programID=program.id, event_name="second", intervals=told, targets=("anna", "cara"))
)
seen = ven.events.get_events(TargetFilter(targets=["anna"]), PaginationFilter(skip=0, limit=50), program.id)
prices = ven.events.get_events(None, None, "community-prices")
(own,) = ven.vens.get_vens(None, None, None)
resource = ven.resources.create_resource(NewResourceVenRequest(resource_name="meter", venID=own.id))
other = bl.vens.create_ven(NewVenBlRequest(ven_name="other", clientID="another", targets=("elsewhere",)))
used = tuple(interval(k, kind=ReportPayloadType.USAGE, payload=ReportPayload, value=0.5) for k in range(2))
report = ven.reports.create_report(
    NewReport(
        eventID=changed.id, client_name="judge", resources=(ReportResource(resource_name="meter", intervals=used),)
    )
)
with arrived:
    arrived.wait_for(lambda: heard, 60)
found: dict[str, Any] = {
    "programs": sorted(one.program_name for one in bl.programs.get_programs(None, None)),
    "ven_programs": sorted(one.program_name for one in ven.programs.get_programs(None, None)),
    "event_name": [one.event_name for one in seen],
    "event_targets": [list(one.targets or ()) for one in seen],
    "event_values": [[one.payloads[0].values[0] for one in event.intervals or ()] for event in seen],
    "prices": [one.payloads[0].values[0] for event in prices for one in event.intervals or ()],
    "vens": sorted(one.ven_name for one in bl.vens.get_vens(None, None, None)),
    "ven_vens": [one.ven_name for one in ven.vens.get_vens(None, None, None)],
    "reports": [one.client_id for one in bl.reports.get_reports(None, None, None, None)],
    "heard": heard,
}
for gone in (
    lambda: ven.reports.delete_report_by_id(report.id),
    lambda: ven.resources.delete_resource_by_id(resource.id),
    lambda: ven.subscriptions.delete_subscription_by_id(subscription.id),
    lambda: bl.vens.delete_ven_by_id(other.id),
    lambda: bl.events.delete_event_by_id(event.id),
    lambda: bl.programs.delete_program_by_id(program.id),
):
    gone()
try:
    ven.programs.session.post(f"{url}/programs", json={"programName": "mine"}).raise_for_status()
except requests.HTTPError as error:
    found["refused"] = None if error.response is None else error.response.json()


def against(document: str) -> dict[str, int | list[str]]:
    """What the published document says of all answers."""
    import yaml
    from openapi_schema_validator import OAS30ReadValidator

    whole = yaml.safe_load(Path(document).read_text())
    schemas = whole["components"]["schemas"]
    schemas["objectMetadata"]["properties"].pop("objectType")  # contradicts objectType of vens and resources there
    for name in ("BlVenRequest", "BlResourceRequest"):
        schemas[name]["properties"].pop("objectType")
    schemas["programRequest"]["properties"]["payloadDescriptors"]["items"].pop("discriminator")  # names no schema
    operations = schemas["subscriptionRequest"]["properties"]["objectOperations"]["items"]["properties"]["operations"]
    operations["items"]["enum"] += ["POST", "PUT"]  # openadr3-client says so, and is told what it said
    faults = []
    for method, path, status, body in answers:
        name = path.strip("/").split("/")[0].removesuffix("s")
        schema: dict[str, Any] = {"$ref": f"#/components/schemas/{name if status < 400 else 'problem'}"}
        if isinstance(body, list):
            schema = {"type": "array", "items": schema}
        checker = OAS30ReadValidator({**schema, "components": whole["components"]})
        faults += [f"{method} {path} {status}: {fault.message}" for fault in checker.iter_errors(body)]
    return {"answers": len(answers), "faults": faults}


if documents:
    found["document"] = against(documents[0])
print(json.dumps(found))
