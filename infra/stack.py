"""The local stack: a Kafka node and any other processes, all gone when it closes."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from confluent_kafka import KafkaException

from infra.kafka import admin, ensure_topics
from infra.kafka_broker import NAME as KAFKA
from infra.kafka_broker import Broker, prepare_broker
from infra.ports import listens
from infra.process import ManagedProcess, ProcessFailed, ProcessSpec
from infra.process_identity import start_mark
from infra.settings import Settings
from infra.stack_end import end_recorded
from infra.stack_state import ProcessState, StackState, read_state, update_state
from schemas.errors import ConfigError

# Measured 3 s on two idle cores; a laptop under load may take ten times as long.
_KAFKA_READY_S = 60.0
# Another program may take the port between our look and the broker's; then we take another.
_PORT_TRIES = 3


class Stack:
    """The processes of one data folder, owned by this process.

        with Stack(settings) as stack:
            stack.start_kafka()
            stack.start(ProcessSpec(name="verify", argv=(...)))

    Leaving the block stops them in reverse order. Should this process die in any other way, they
    are stopped all the same (infra/guard.py). One stack at a time owns a data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processes: dict[str, ManagedProcess] = {}
        self._broker: Broker | None = None
        self._lock: IO[str] | None = None

    @property
    def settings(self) -> Settings:
        """The settings that everything of this stack shares, with Kafka's address once known."""
        return self._settings

    @property
    def processes(self) -> dict[str, ManagedProcess]:
        """What was started and not stopped, by name, in the order of starting."""
        return dict(self._processes)

    def __enter__(self) -> "Stack":
        """Take the data folder; raises ``ConfigError`` if another stack has it."""
        data_dir = self._settings.data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "stack.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ConfigError(
                f"a stack already runs on {data_dir}; stop it with `prefstream down` or choose "
                "another folder by PREFSTREAM_DATA_DIR"
            ) from None
        self._lock = lock
        # The folder is ours, but what an earlier stack started may still be stopping.
        end_recorded(data_dir)
        own = ProcessState(pid=os.getpid(), started=start_mark(os.getpid()) or "")
        self._record(lambda s: StackState(supervisor=own, kafka=s.kafka))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start_kafka(self) -> Settings:
        """Start the node on the folder's data, create the topics, and return the settings with
        its address. With ``bootstrap_servers`` configured only the topics are created.

        Raises ``MissingJava``, ``JarsUnresolved`` or ``ProcessFailed``.
        """
        if self._settings.bootstrap_servers is None:
            self._start_broker()
        ensure_topics(self._settings)
        return self._settings

    def start(
        self,
        spec: ProcessSpec,
        *,
        ready: Callable[[], bool] | None = None,
        ready_timeout_s: float = 30.0,
    ) -> ManagedProcess:
        """Start a process with our settings in its environment, its output in
        ``data_dir/logs/NAME.log``, and wait until ``ready()``.

        Raises ``ProcessFailed`` if it does not come up (then it is stopped; ``restart`` tries
        again), and ``ConfigError`` if one of that name runs already.
        """
        present = self._processes.get(spec.name)
        if present is not None and present.exit_code is None:
            raise ConfigError(f"{spec.name} runs already (pid {present.pid}); stop it first")
        environment = self._settings.environment() | spec.environment
        process = ManagedProcess(
            spec.model_copy(update={"environment": environment}), self.log_path(spec.name)
        )
        self._processes.pop(spec.name, None)
        self._processes[spec.name] = process
        self.record(spec.name)
        if ready is not None:
            try:
                process.wait_ready(ready, ready_timeout_s)
            except BaseException:
                process.stop()
                self.record(spec.name)
                raise
        return process

    def stop(self, name: str) -> int:
        """Stop a process (SIGTERM, after its grace SIGKILL); returns its exit code."""
        process = self._processes[name]
        code = process.stop()
        stopped = process.state().model_copy(update={"status": "stopped"})
        self._write(name, stopped)
        del self._processes[name]
        return code

    def kill(self, name: str) -> int:
        """SIGKILL a process, as a fault would; ``restart`` brings it back."""
        code = self._processes[name].kill()
        self.record(name)
        return code

    def restart(self, name: str) -> ManagedProcess:
        """Start a process again that ended or was killed; the broker on its data and port."""
        if name == KAFKA:
            self._start_broker()
            return self._processes[KAFKA]
        return self.start(self._processes[name].spec)

    def log_path(self, name: str) -> Path:
        """Where a process's output goes."""
        return self._settings.data_dir.absolute() / "logs" / f"{name}.log"

    def record(self, name: str) -> None:
        """Write how a process is into the state file."""
        self._write(name, self._processes[name].state())

    def announce_ready(self) -> None:
        """Write into the state file that all that was asked for is up."""
        self._record(lambda s: s.model_copy(update={"ready": True}))

    def close(self) -> None:
        """Stop everything, the last started first, and let go of the data folder."""
        if self._lock is None:
            return
        try:
            # All at once, but for the broker: the others still commit what they finish.
            for name, process in self._processes.items():
                if name != KAFKA:
                    process.request_stop()
            for name in reversed(list(self._processes)):
                self.stop(name)
        finally:
            self._record(_after_stop)
            self._lock.close()
            self._lock = None

    def _start_broker(self) -> None:
        own = self._broker is not None
        for attempt in range(_PORT_TRIES):
            kafka = read_state(self._settings.data_dir).kafka
            self._broker = prepare_broker(self._settings, kafka)
            try:
                self.start(
                    self._broker.spec, ready=self._kafka_ready, ready_timeout_s=_KAFKA_READY_S
                )
                break
            except ProcessFailed as error:
                taken = "Address already in use" in str(error)
                if not taken or own or attempt == _PORT_TRIES - 1:
                    raise

    def _kafka_ready(self) -> bool:
        assert self._broker is not None
        # A plain look first: librdkafka complains in the log about a port that is not open yet.
        if not listens(self._broker.port):
            return False
        try:
            return bool(admin(self._settings).list_topics(timeout=2.0).brokers)
        except KafkaException:
            return False

    def _write(self, name: str, found: ProcessState) -> None:
        broker = self._broker

        def change(state: StackState) -> StackState:
            kafka = state.kafka
            if name == KAFKA and broker is not None:
                kafka = broker.state(found.pid, found.started)
            processes = state.processes | {name: found}
            return state.model_copy(update={"processes": processes, "kafka": kafka})

        self._record(change)

    def _record(self, change: Callable[[StackState], StackState]) -> None:
        update_state(self._settings.data_dir, change)


def _after_stop(state: StackState) -> StackState:
    """Nothing runs; what is needed to start again on the same data stays."""
    processes = {
        name: process.model_copy(update={"pid": None}) for name, process in state.processes.items()
    }
    kafka = state.kafka.model_copy(update={"pid": None}) if state.kafka else None
    return StackState(kafka=kafka, processes=processes)
