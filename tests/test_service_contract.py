"""The running service is asked what its own OpenAPI description allows, and what it does not, by schemathesis."""

import os
import signal

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from service_process import ServiceProcess

from assistant.service.http.application import create_application

SCHEMA = schemathesis.openapi.from_dict(create_application().openapi())


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    process = ServiceProcess(tmp_path_factory.mktemp("contract")).start()
    process.token = process.devices.add("fuzzer", "fuzzed")
    yield process
    process.stop(signal.SIGKILL)


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=20,
    derandomize="CI" in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(service, case):
    case.call_and_validate(base_url=service.address, headers={"Authorization": f"Bearer {service.token}"})
