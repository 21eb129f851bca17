"""Calls into the kernel that Python has no name for."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


def prctl(option: int, value: int, structure: ctypes.Structure | None = None) -> None:
    """``prctl(2)``; raises OSError."""
    pointer = None if structure is None else ctypes.byref(structure)
    _check(_LIBC.prctl(option, ctypes.c_ulong(value), pointer, 0, 0))


def unshare(flags: int) -> None:
    """``unshare(2)``; raises OSError."""
    _check(_LIBC.unshare(flags))


def mount(kind: bytes, target: bytes, flags: int, options: bytes | None) -> None:
    """``mount(2)`` of a file system that needs no device, or a change of one; raises OSError."""
    _check(_LIBC.mount(kind, target, kind, ctypes.c_ulong(flags), options))


def bind(source: str, target: str, flags: int) -> None:
    """``mount(2)`` of a folder or file that exists at another place; raises OSError."""
    _check(_LIBC.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None))


def umount(target: str, flags: int) -> None:
    """``umount2(2)``; raises OSError."""
    _check(_LIBC.umount2(target.encode(), flags))


def syscall(number: int, *arguments: "int | bytes | ctypes.Structure | None") -> int:
    """A system call by its number; raises OSError."""
    passed = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    pointers = [
        ctypes.byref(each) if isinstance(each, ctypes.Structure) else each for each in passed
    ]
    result = int(_LIBC.syscall(ctypes.c_long(number), *pointers))
    if result < 0:
        _check(result)
    return result


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
