"""A Postgres server of its own for a test, in a folder of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_OWNERS = ("postgres", "nobody")  # the server refuses to run as root


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running server that listens on loopback."""

    folder: Path
    port: int
    binaries: Path
    owner: str | None

    def dsn(self, user: str, password: str, database: str = "postgres") -> str:
        """How a client connects."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def control(self, action: str, *arguments: str) -> None:
        """``pg_ctl`` on this server."""
        _run([str(self.binaries / "pg_ctl"), action, "-D", str(self.folder / "data"), "-w",
              *arguments], self.owner)  # fmt: skip


def server_binaries() -> Path | None:
    """The folder of initdb and pg_ctl, None where no server is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = shutil.which("initdb")
    candidates = [*installed, *([Path(found)] if found else [])]
    return next((path.parent for path in candidates if (path.parent / "pg_ctl").exists()), None)


@contextmanager
def cluster(binaries: Path, password: str) -> Iterator[Cluster]:
    """Start a server whose superuser ``admin`` has the password, and stop it."""
    owner = _owner()
    folder = Path(tempfile.mkdtemp(prefix="prefstream-postgres-"))
    try:
        (folder / "password").write_text(password)
        if owner is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, owner)
        running = Cluster(folder=folder, port=_free_port(), binaries=binaries, owner=owner)
        _run([str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "admin", "-N",
              "-A", "scram-sha-256", "--pwfile", str(folder / "password")], owner)  # fmt: skip
        options = f"-p {running.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        running.control("start", "-o", options, "-l", str(folder / "log"))
        try:
            yield running
        finally:
            running.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    users = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in _OWNERS if name in users)


def _run(command: list[str], owner: str | None) -> None:
    done = subprocess.run(
        command,
        user=owner,
        group=None if owner is None else pwd.getpwnam(owner).pw_gid,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
