"""Code on a kernel without Landlock: read-only mounts take its place."""

import json
import subprocess
import sys
from pathlib import Path

# A submission's process, confined on a kernel that is made to look as if it had no Landlock.
PROBE = """
import errno, json, os, sys
from streams.verify.sandbox import landlock
from streams.verify.sandbox.confine import leave_namespaces
from streams.verify.sandbox import code_runner
from streams.verify.sandbox.limits import CodeLimits

def missing(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")

landlock.abi = landlock.restrict = missing
secret, out = sys.argv[1], int(sys.argv[2])
report = leave_namespaces()
parent = os.getpid()
if os.fork():
    os.wait()
    os._exit(0)
protections = report | code_runner._confine(CodeLimits(), parent)

def attempt(act):
    try:
        return repr(act())
    except OSError as error:
        return errno.errorcode[error.errno]

import colorsys  # of the standard library, and not imported before
found = {
    "secret": attempt(lambda: open(secret).read()),
    "passwd": attempt(lambda: open("/etc/passwd").read()),
    "proc": attempt(lambda: os.listdir("/proc")),
    "root": attempt(lambda: sorted(os.listdir("/"))),
    "write_root": attempt(lambda: open("/new", "w")),
    "write_library": attempt(lambda: open(os.__file__, "a")),
    "write_own": attempt(lambda: open("mine", "w").write("x")),
    "colorsys": colorsys.rgb_to_hsv(0, 0, 0),
}
os.write(out, json.dumps([protections, found]).encode())
os._exit(0)
"""


def test_read_only_mounts_hide_everything_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key")
    result = tmp_path / "result"
    with result.open("wb") as out:
        subprocess.run(
            [sys.executable, "-c", PROBE, str(secret), str(out.fileno())],
            pass_fds=[out.fileno()],
            cwd=Path(__file__).parents[2],
            check=True,
            timeout=60,
        )
    protections, found = json.loads(result.read_text())
    assert protections["file_system"] == "active"
    assert found["secret"] == found["passwd"] == found["proc"] == "ENOENT"
    assert "'var'" not in found["root"]
    assert found["write_root"] == "EROFS"
    assert found["write_library"] == "EROFS"
    assert found["write_own"] == "1"
