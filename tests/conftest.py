"""What every test needs."""

import os
import sys
import warnings

import hypothesis
import pytest
from databases import DATABASES

from scripts.postgresql_server import PostgresqlServer, ServerMissing

# Machines are shared: how long an example takes says nothing about the code. CI repeats the same examples.
hypothesis.settings.register_profile("voicecart", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("voicecart")


@pytest.fixture(autouse=True)
def without_lazy_modules():
    """Removes the modules of SpeechBrain that import something on any access, and fail without optional packages.

    The program does so once the encoder is loaded; a test that imports SpeechBrain itself would leave them, and
    Hypothesis looks at every module there is.
    """
    _remove_lazy_modules()
    yield
    _remove_lazy_modules()


def _remove_lazy_modules():
    for name, module in list(sys.modules.items()):
        if type(module).__module__ == "speechbrain.utils.importutils":
            del sys.modules[name]


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server of the tests' own."""
    try:
        server = PostgresqlServer(durable=False)
    except ServerMissing as missing:
        warnings.warn(f"Nothing is tested on PostgreSQL: {missing}", stacklevel=1)
        pytest.skip(str(missing))
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def on_each_database(request):
    """The test runs twice, its shops being in files and on a server."""
    with DATABASES.on(request.getfixturevalue("postgresql") if request.param == "postgresql" else None):
        yield request.param
