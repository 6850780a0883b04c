"""A PostgreSQL server of one's own, thrown away at the end: for tests and measurements.

It listens on a Unix socket in its own folder and nowhere else. As PostgreSQL refuses to run as root, root starts it as
the user ``postgres`` (or ``nobody``).
"""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_USER = "voicecart"
_PR_SET_PDEATHSIG = 1


class ServerMissing(Exception):
    """PostgreSQL is not installed, or nobody may run it; the message says what to do."""


def programs() -> Path:
    """The folder of PostgreSQL's programs, of the newest version.

    Raises:
        ServerMissing: There is none.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = found[-1] if found else shutil.which("initdb")
    if initdb is None:
        raise ServerMissing(
            "PostgreSQL is not installed: 'sudo apt-get install postgresql', as scripts/setup test does."
        )
    return Path(initdb).resolve().parent


class PostgresqlServer:
    """A server with an empty cluster of its own in a temporary folder.

    Args:
        durable: Whether a commit waits for the disk, as a shop's must. What is not still survives killed processes,
            though no power cut.
        connections: Most clients at once.

    Raises:
        ServerMissing: There is no PostgreSQL here, or it does not start.
    """

    def __init__(self, durable: bool = True, connections: int = 100) -> None:
        self._programs = programs()
        self._runner = _runner()
        self._folder = Path(tempfile.mkdtemp(prefix="voicecart-postgresql-"))
        self._settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "max_connections": str(connections),
            "fsync": "on" if durable else "off",
        }
        if self._runner is not None:
            os.chown(self._folder, self._runner.pw_uid, self._runner.pw_gid)
        self._log = self._folder / "log"
        initdb = [self._programs / "initdb", "-D", self._cluster, "-U", _USER, "-A", "trust", "--no-sync", "-E", "UTF8"]
        made = subprocess.run([*initdb, "--locale=C.UTF-8"], capture_output=True, text=True, **self._identity())
        if made.returncode:
            raise ServerMissing(f"initdb failed: {made.stderr.strip()[-300:]}")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def _cluster(self) -> Path:
        return self._folder / "cluster"

    def address(self, database: str) -> str:
        """Where clients find one of its databases."""
        return f"postgresql://{_USER}@/{database}?host={self._folder}"

    def start(self) -> None:
        """Starts the server, and waits until it lets clients in.

        Raises:
            ServerMissing: It does not come up.
        """
        deadline = time.monotonic() + _START_SECONDS
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                # One that was killed leaves processes for a moment, and until they end no other may start.
                with self._log.open("ab") as log:
                    self._process = subprocess.Popen(
                        [self._programs / "postgres", "-D", self._cluster, *options],
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        preexec_fn=_end_with_parent,
                        **self._identity(),
                    )
            ready = [self._programs / "pg_isready", "-q", "-h", self._folder, "-d", "postgres"]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(_LOOK_SECONDS)
        raise ServerMissing(f"PostgreSQL does not start: {self._log.read_text(errors='replace')[-300:]}")

    def query(self, statement: str, database: str = "postgres") -> str:
        """What a statement answers, as ``psql`` prints it without decoration."""
        psql = [self._programs / "psql", "-X", "-q", "-t", "-A", "-h", self._folder, "-U", _USER, "-d", database]
        return subprocess.run([*psql, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()

    def kill(self) -> None:
        """Ends all of its processes at once, as ``kill -9`` does: nothing is written any more."""
        if self._process is None:
            return
        mine = [self._process.pid, *_children(self._process.pid)]
        for number in mine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self._process.wait()

    def kill_one(self, number: int) -> None:
        """Ends the process that serves one client, as ``kill -9`` does; the others then have to start anew."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)

    def serving(self) -> list[int]:
        """The processes that serve clients now."""
        found = self.query("select pid from pg_stat_activity where application_name = 'voicecart'")
        return [int(number) for number in found.split()]

    def close(self) -> None:
        """Ends the server and removes everything it wrote."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _identity(self) -> dict[str, object]:
        if self._runner is None:
            return {}
        return {"user": self._runner.pw_uid, "group": self._runner.pw_gid, "extra_groups": [], "cwd": self._folder}


def _end_with_parent() -> None:
    """Has the kernel end the server at once when whoever started it is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _runner() -> pwd.struct_passwd | None:
    """Whom root lends the server to; None for everybody else, who runs it himself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerMissing("PostgreSQL must not run as root, and there is neither a user postgres nor nobody.")


def _children(parent: int) -> list[int]:
    """The processes that ``parent`` started; the server's are in sessions of their own."""
    tasks = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(number) for number in tasks.read_text().split()] if tasks.exists() else []
