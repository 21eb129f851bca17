"""Whether the sandbox holds on this machine: what is active, and what real attacks come to."""

import asyncio
import inspect
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from streams.verify.sandbox import attacks
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.code_result import CodeTest, Step
from streams.verify.sandbox.confine import Report
from streams.verify.sandbox.floor import CODE_FLOOR, SQL_FLOOR, Floor
from streams.verify.sandbox.limits import CodeLimits, Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import Json

_WALL_S = 1.0
_A_FILE = "/etc/passwd"  # every machine has it, and anybody may read it
# The attacks are our own, so they may run where nothing else would be let.
_NO_FLOOR = Floor(kind="probes", required=())


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A function of ``attacks`` with its arguments, and which protections are to stop it."""

    function: str
    arguments: tuple[Json, ...]
    protections: tuple[str, ...]

    @property
    def title(self) -> str:
        """What is tried, in words."""
        return (inspect.getdoc(getattr(attacks, self.function)) or self.function).rstrip(".")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What came of an attack in one kind of child."""

    attack: Attack
    child: str
    held: bool
    happened: str


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Protections and probes by kind of child: ``sql`` and ``code``."""

    protections: dict[str, Report]
    probes: tuple[Probe, ...]

    @property
    def missing(self) -> dict[str, dict[str, str]]:
        """What each floor lacks, by kind."""
        return {
            "sql": SQL_FLOOR.missing(self.protections["sql"]),
            "code": CODE_FLOOR.missing(self.protections["code"]),
        }

    @property
    def holds(self) -> bool:
        """Whether both floors are there and no attack got through."""
        return not any(self.missing.values()) and all(probe.held for probe in self.probes)


async def examine() -> Examination:
    """Start one child of each kind and attack from within; raises Fatal where none starts."""
    async with _targets() as found:
        sql, in_sql = await _attack_in_sql(found)
        code, in_code = await _attack_in_code(found)
    return Examination(protections={"sql": sql, "code": code}, probes=(*in_sql, *in_code))


@asynccontextmanager
async def _targets() -> AsyncIterator[tuple[Attack, ...]]:
    """Attacks and what they need: a file, a folder, a listener and this process."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        pid, port = os.getpid(), int(server.getsockname()[1])
        yield tuple(
            Attack(function=function.__name__, arguments=arguments, protections=protections)
            for function, arguments, protections in (
                (attacks.read_file, (_A_FILE,), ("file_system",)),
                (attacks.read_environment, (pid,), ("file_system",)),
                (attacks.write_file, (folder,), ("file_system", "files_written")),
                (attacks.connect, (port,), ("network", "tcp", "system_calls")),
                (attacks.fork, (), ("system_calls", "processes")),
                (attacks.execute, (), ("system_calls",)),
                (attacks.signal_process, (pid,), ("signals", "system_calls", "capabilities")),
                (attacks.trace, (pid,), ("system_calls", "capabilities")),
                (attacks.allocate, (64 * 1024**3,), ("memory",)),
                (attacks.spin, (_WALL_S * 10,), ("wall clock", "cpu")),
            )
        )


async def _attack_in_sql(found: tuple[Attack, ...]) -> tuple[Report, list[Probe]]:
    limits = Limits(wall_s=_WALL_S)
    probes: list[Probe] = []
    async with SandboxPool(size=1, limits=limits, tasks=["attack"], floor=_NO_FLOOR) as pool:
        for attack in found:
            request: dict[str, Json] = {
                "attack": attack.function,
                "arguments": list(attack.arguments),
            }
            result = await pool.call("attack", request)
            held = result.error is not None
            happened = result.error.message if result.error else str(result.value)
            probes.append(Probe(attack=attack, child="sql", held=held, happened=happened))
        return pool.protections, probes


async def _attack_in_code(found: tuple[Attack, ...]) -> tuple[Report, list[Probe]]:
    source = inspect.getsource(attacks)
    probes: list[Probe] = []
    limits = CodeLimits(wall_s=_WALL_S)
    async with CodePool(size=1, limits=limits, floor=_NO_FLOOR) as pool:
        for attack in found:
            step = Step(kind="eval", source=f"{attack.function}(*_args)")
            test = CodeTest(steps=(step,), bind={"_args": list(attack.arguments)})
            run = await pool.run(source, [test])
            (ran,) = run.runs
            held, happened = True, ran.error.message if ran.error else ""
            if ran.error is None:
                (output,) = ran.outputs
                held = bool(output.raised)
                happened = f"{output.raised[0]}: {output.message}" if held else str(output.value)
            probes.append(Probe(attack=attack, child="code", held=held, happened=happened))
        return pool.protections, probes


def examine_now() -> Examination:
    """As ``examine``, for callers without an event loop."""
    return asyncio.run(examine())
