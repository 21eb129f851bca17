"""A file system of read-only folders and nothing else: for kernels without Landlock."""

import os
from collections.abc import Sequence
from pathlib import Path

from streams.verify.sandbox import kernel

_MS_RDONLY, _MS_NOSUID, _MS_NODEV = 1, 2, 4
_MS_REMOUNT, _MS_BIND, _MS_REC = 32, 4096, 0x4000
_SEALED = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_NEW, _OLD = ".root", ".old"


def enter(readable: Sequence[str], folder: str) -> None:
    """See nothing but ``readable`` (files and folders, none of them to change) and ``folder``.

    ``folder`` is a private file system that is mounted already; it keeps its name and can still be
    written to. Needs a mount namespace of its own. Raises OSError.
    """
    root = Path(folder) / _NEW
    root.mkdir()
    kernel.mount(b"tmpfs", bytes(root), _MS_NOSUID | _MS_NODEV, b"size=256k,mode=755")
    found = {path: os.path.realpath(path) for path in readable if os.path.exists(path)}
    shown: list[Path] = []
    for real in sorted(map(Path, found.values())):
        if not any(real.is_relative_to(each) for each in shown):
            _show(str(real), root)
            shown.append(real)
    for path, target in found.items():
        # /lib is asked for by its short name also where it is a link to usr/lib
        if not os.path.lexists(short := root / path.lstrip("/")):
            short.parent.mkdir(parents=True, exist_ok=True)
            short.symlink_to(target)
    home = root / folder.lstrip("/")
    home.mkdir(parents=True, exist_ok=True)
    kernel.bind(folder, str(home), _MS_BIND)
    (root / _OLD).mkdir()
    kernel.syscall(_PIVOT_ROOT[os.uname().machine], bytes(root) + b"\0", bytes(root / _OLD) + b"\0")
    os.chdir("/")
    kernel.umount(f"/{_OLD}", _MNT_DETACH)
    os.rmdir(f"/{_OLD}")
    kernel.bind("/", "/", _SEALED)
    os.chdir(folder)


def _show(path: str, root: Path) -> None:
    target = root / path.lstrip("/")
    if os.path.isdir(path):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.bind(path, str(target), _MS_BIND | _MS_REC)
    kernel.bind(path, str(target), _SEALED)
