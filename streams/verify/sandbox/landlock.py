"""Landlock: which files a process can reach, and no TCP port and no process outside itself.

Linux has it from 5.13 on where it is compiled in and enabled; it needs no privilege. What a kernel
lacks is reported, not hidden. Interface: the kernel's ``Documentation/userspace-api/landlock.rst``.
"""

import ctypes
import os
import stat
from collections.abc import Sequence

from streams.verify.sandbox import kernel

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (
    1 << bit for bit in range(6)
)
_MAKE_DIR = 1 << 7
_MAKE_REGULAR = 1 << 8
_REFER = 1 << 13
_TRUNCATE = 1 << 14

# Every right that an ABI knows is handled, which means denied unless a rule grants it.
_FILE_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP_RIGHTS = 0b11
_TCP_ABI = 4
_SCOPES = 0b11  # abstract Unix sockets, signals
_SCOPE_ABI = 6

_READ = _READ_FILE | _READ_DIR
_OWN = (
    _READ
    | _WRITE_FILE
    | _TRUNCATE
    | _MAKE_REGULAR
    | _MAKE_DIR
    | _REMOVE_FILE
    | _REMOVE_DIR
    | _REFER
)
_OF_A_FILE = _READ_FILE | _WRITE_FILE | _TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("tcp", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("directory", ctypes.c_int32))


def abi() -> int:
    """The version the kernel speaks; raises OSError where it speaks none."""
    return kernel.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)


def restrict(readable: Sequence[str], own: Sequence[str], devices: Sequence[str]) -> int:
    """Leave this thread, and what it starts, nothing but these paths; the ABI that was used.

    ``readable`` are files and folders to read, ``own`` folders to change, ``devices`` files to read
    and write; one that does not exist is left out. Raises OSError where the kernel has no Landlock.
    """
    version = abi()
    files = _FILE_RIGHTS_BY_ABI[max(each for each in _FILE_RIGHTS_BY_ABI if each <= version)]
    attributes = _Ruleset(
        files,
        _TCP_RIGHTS if version >= _TCP_ABI else 0,
        _SCOPES if version >= _SCOPE_ABI else 0,
    )
    # An older kernel knows fewer fields and refuses a longer structure unless the rest is zero.
    ruleset = kernel.syscall(_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0)
    try:
        for rights, paths in ((_READ, readable), (_OWN, own), (_OF_A_FILE, devices)):
            for path in paths:
                _allow(ruleset, path, rights & files)
        kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def tcp_missing(version: int) -> str | None:
    """Why TCP ports are not closed, if they are not."""
    return None if version >= _TCP_ABI else f"Landlock ABI {version}, needs {_TCP_ABI} (Linux 6.7)"


def scopes_missing(version: int) -> str | None:
    """Why signals and abstract sockets still reach outside, if they do."""
    if version >= _SCOPE_ABI:
        return None
    return f"Landlock ABI {version}, needs {_SCOPE_ABI} (Linux 6.12)"


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_A_FILE
        kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _PathBeneath(rights, opened), 0)
    finally:
        os.close(opened)
