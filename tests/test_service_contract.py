"""The running service is asked what its own OpenAPI description allows, and what it does not, by schemathesis."""

import os
import secrets
import signal
import time

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from schemathesis.generation.meta import GenerationMode, ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection
from service_process import ServiceProcess

from assistant.service.http.application import create_application
from assistant.service.signature import HEADER, sign

KEY = secrets.token_hex(32)
SEEN: dict[str, set[int]] = {}
SCHEMA = schemathesis.openapi.from_dict(create_application().openapi())


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    keys = folder / "carrier.key"
    keys.touch(0o600)
    keys.write_text(KEY)
    process = ServiceProcess(folder, carrier_key_file=str(keys)).start()
    process.token = process.devices.add("fuzzer", "fuzzed")
    yield process
    process.stop(signal.SIGKILL)
    answers = SEEN.get("/v1/carrier-events")
    assert answers is None or {404, 422} <= answers, "the events' signatures were not right"


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=20,
    derandomize="CI" in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(service, case):
    headers = {"Authorization": f"Bearer {service.token}"}
    if case.path == "/v1/carrier-events":
        # Signed as it will be sent, so that more of it is looked at than the signature.
        sent = requests.Request(**case.as_transport_kwargs(base_url=service.address)).prepare().body or b""
        headers = {HEADER: sign(KEY, int(time.time()), sent if isinstance(sent, bytes) else sent.encode())}
    # In a query every value is text and unknown names mean nothing; what is wrong with the token this test puts right.
    wrong = {location for location, part in case.meta.components.items() if part.mode is GenerationMode.NEGATIVE}
    excluded = [negative_data_rejection] if wrong <= {ParameterLocation.QUERY, ParameterLocation.HEADER} else []
    answer = case.call_and_validate(base_url=service.address, headers=headers, excluded_checks=excluded)
    SEEN.setdefault(case.path, set()).add(answer.status_code)
