"""A seccomp filter of system calls, assembled here so that no library is needed.

The program is classic BPF over ``struct seccomp_data`` (``linux/seccomp.h``): what is in the list
is allowed, some of it only with certain arguments, all else is refused with EPERM.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streams.verify.sandbox import kernel
from streams.verify.sandbox.syscalls import CLONE3, NEWEST, NUMBERS

_MODE_FILTER = 2
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_OFFSET, _ARCH_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16

_CLONE_THREAD = 0x10000
_UNIX_STREAMS = tuple(1 | flags for flags in (0, 0x800, 0x80000, 0x80800))
# Duplicate, flags, locks: none that sends a signal to an owner of choice.
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 9, 1030, 1032, 36, 37, 38)
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # is a tty, size, blocking, close on exec
_PRCTL = (15, 16)  # the thread's name

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Argument:
    """Which values one argument may have, by its lower 32 bits: any of ``values``, or with any of
    the bits in ``bits``.
    """

    position: int
    values: Sequence[int] = ()
    bits: int = 0


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_char_p))


def install(*, threads: bool) -> None:
    """Filter the system calls of this thread and what it starts, for ever.

    Needs ``no_new_privs``. ``threads``: whether more threads may be started; processes never may.
    Raises OSError where the kernel has no seccomp or the machine is unknown.
    """
    program = assemble(os.uname().machine, os.getpid(), threads=threads)
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    attribute = _Filter(len(program), packed)
    kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, attribute)


def assemble(machine: str, pid: int, *, threads: bool) -> list[Instruction]:
    """The program for this machine and process; raises OSError for a machine that is unknown."""
    if machine not in NUMBERS:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH_OFFSET),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
    ]
    if machine == "x86_64":
        program += [(_JUMP_GREATER, 0, 1, _X32_BIT - 1), (_RETURN, 0, 0, _KILL)]
    arguments = _arguments(pid, threads=threads)
    for name, number in NUMBERS[machine].items():
        if name == "clone" and not threads:
            continue
        body = list(_body(arguments.get(name, ())))
        program += [(_JUMP_EQUAL, 0, len(body), number), *body]
    unknown = _ERRNO | errno.ENOSYS
    program += [(_JUMP_EQUAL, 0, 1, CLONE3), (_RETURN, 0, 0, unknown)]
    program += [(_JUMP_GREATER, 0, 1, NEWEST), (_RETURN, 0, 0, unknown)]
    return [*program, (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _arguments(pid: int, *, threads: bool) -> Mapping[str, tuple[Argument, ...]]:
    own = (Argument(position=0, values=(pid,)),)
    rules: dict[str, tuple[Argument, ...]] = {
        "kill": own,
        "tgkill": own,
        "prlimit64": (Argument(position=0, values=(0, pid)),),
        "prctl": (Argument(position=0, values=_PRCTL),),
        "fcntl": (Argument(position=1, values=_FCNTL),),
        "ioctl": (Argument(position=1, values=_IOCTL),),
        # A datagram socket could still be sent to an address.
        "socketpair": (
            Argument(position=0, values=(1,)),
            Argument(position=1, values=_UNIX_STREAMS),
        ),
    }
    if threads:
        rules["clone"] = (Argument(position=0, bits=_CLONE_THREAD),)
    return rules


def _body(rules: Iterable[Argument]) -> Iterable[Instruction]:
    """Allow where every argument has one of its values."""
    for rule in rules:
        yield (_LOAD, 0, 0, _ARGUMENTS_OFFSET + 8 * rule.position)
        tests = len(rule.values) + bool(rule.bits)
        # each test that holds jumps over the tests after it and over the refusal
        for done, value in enumerate(rule.values, start=1):
            yield (_JUMP_EQUAL, tests - done + 1, 0, value)
        if rule.bits:
            yield (_JUMP_ANY_BIT, 1, 0, rule.bits)
        yield (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    yield (_RETURN, 0, 0, _ALLOW)
