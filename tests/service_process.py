"""A real ``voicecart serve`` in a process of its own, which tests ask, stop and kill; and the tokens of its devices."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from databases import DATABASES
from household_shop import PRODUCTS, open_shop

from assistant.service.devices import Devices

# The command alone: the program itself would load every other command too, at each of many starts.
_SERVE = """
import argparse, pathlib, sys
from assistant.commands import serve
from assistant.settings import Settings
from assistant.settings_file import changed
import json
state, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
settings = changed(Settings(), {"shop": json.loads(sys.argv[3])})
options = argparse.Namespace(host="127.0.0.1", port=port, state=state, openapi=False, settings=settings)
sys.exit(serve.run(options))
"""


class ServiceProcess:
    """The service over the database of ``folder``, on a free port of the loopback interface; ``shop``: its settings."""

    def __init__(self, folder: Path, port: int = 0, **shop: object) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.settings = {"database": DATABASES.address(folder)} | shop
        self.shop = open_shop(folder)
        self.shop.store.import_catalog(PRODUCTS)
        self.engine = self.shop.engine
        self.devices = Devices(self.engine)
        self.port = port
        self.log = folder / "service.log"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "ServiceProcess":
        command = [sys.executable, "-c", _SERVE, str(self.folder), str(self.port), json.dumps(self.settings)]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Serving on http://127.0.0.1:"), self.log.read_text()
        self.port = int(line.rsplit(":", 1)[1])
        return self

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ends the process; its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def device(self, household: str, name: str = "speaker") -> httpx.Client:
        """A client with a token of its own."""
        return self.client(self.devices.add(name, household))

    def client(self, token: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=20)
