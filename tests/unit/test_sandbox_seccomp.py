"""The filter of system calls, run by an interpreter of its instructions, for every machine."""

import pytest

from streams.verify.sandbox.seccomp import Instruction, assemble
from streams.verify.sandbox.syscalls import CLONE3, NEWEST, NUMBERS

PID = 4711
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
FORBIDDEN = {
    "x86_64": {"ptrace": 101, "execve": 59, "socket": 41, "mount": 165, "unshare": 272, "fork": 57},
    "aarch64": {"ptrace": 117, "execve": 221, "socket": 198, "mount": 40, "unshare": 97},
}


def verdict(program: list[Instruction], arch: int, number: int, *arguments: int) -> int:
    """What the kernel would make of this call (linux/filter.h, the instructions used)."""
    words = {0: number, 4: arch}
    words |= {16 + 8 * n: value & 0xFFFFFFFF for n, value in enumerate(arguments)}
    accumulator = position = 0
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        match code:
            case 0x20:
                accumulator = words.get(operand, 0)
            case 0x06:
                return operand
            case 0x15:
                position += if_true if accumulator == operand else if_false
            case 0x25:
                position += if_true if accumulator > operand else if_false
            case 0x45:
                position += if_true if accumulator & operand else if_false
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.mark.parametrize("machine", NUMBERS)
def test_what_is_not_listed_is_refused(machine: str) -> None:
    program = assemble(machine, PID, threads=False)
    listed = {name: n for name, n in NUMBERS[machine].items() if name != "clone"}
    for number in range(NEWEST + 1):
        found = verdict(program, ARCH[machine], number, PID, 1)
        if number not in listed.values():
            assert found == (ENOSYS if number == CLONE3 else EPERM)
    assert not set(FORBIDDEN[machine].values()) & set(listed.values())
    assert verdict(program, ARCH[machine], NEWEST + 1) == ENOSYS


@pytest.mark.parametrize("machine", NUMBERS)
def test_arguments_decide_where_a_call_can_reach_others(machine: str) -> None:
    program, numbers = assemble(machine, PID, threads=True), NUMBERS[machine]

    def found(name: str, *arguments: int) -> int:
        return verdict(program, ARCH[machine], numbers[name], *arguments)

    assert found("kill", PID, 9) == ALLOW
    assert {found("kill", pid, 9) for pid in (0, 1, -1, -PID, PID + 1)} == {EPERM}
    assert found("tgkill", PID, 1, 6) == ALLOW
    assert found("tgkill", 1, 1, 6) == EPERM
    assert found("prlimit64", 1) == EPERM
    assert found("fcntl", 3, 4) == ALLOW
    assert found("fcntl", 3, 8) == EPERM  # F_SETOWN
    assert found("prctl", 1) == EPERM  # PR_SET_PDEATHSIG
    assert found("ioctl", 0, 0x5412) == EPERM  # TIOCSTI
    assert found("socketpair", 1, 0x80001) == ALLOW
    assert found("socketpair", 1, 2) == EPERM  # datagrams can be addressed
    assert found("socketpair", 2, 1) == EPERM


@pytest.mark.parametrize("machine", NUMBERS)
def test_threads_only_where_they_are_wanted_and_processes_never(machine: str) -> None:
    clone = NUMBERS[machine]["clone"]
    thread, process = 0x3D0F00, 0x01200011
    for threads, allowed in ((True, ALLOW), (False, EPERM)):
        program = assemble(machine, PID, threads=threads)
        assert verdict(program, ARCH[machine], clone, thread) == allowed
        assert verdict(program, ARCH[machine], clone, process) == EPERM


def test_another_architecture_ends_the_process() -> None:
    program = assemble("x86_64", PID, threads=True)
    assert verdict(program, 0x40000003, 1) == KILL  # 32-bit calls
    assert verdict(program, ARCH["x86_64"], 0x40000000 | 1) == KILL  # x32
    with pytest.raises(OSError, match="riscv64"):
        assemble("riscv64", PID, threads=True)
