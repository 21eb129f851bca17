"""The one Kafka node of the local stack: its settings, its data folder and its command."""

import subprocess
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from infra.kafka_jars import LOG4J_CONFIG, java, resolve_jars
from infra.ports import LOOPBACK, free_port
from infra.process import ProcessFailed, ProcessSpec
from infra.settings import Settings
from infra.stack_state import KafkaState
from infra.topics import MAX_MESSAGE_BYTES

NAME = "kafka"
# 350 MB resident; the C1 compiler alone starts fastest and is enough for 80k messages/s.
_JVM = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
# A clean stop writes every segment's snapshot; measured 1–2 s.
_STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """A node that is ready to be run: where it listens, and with what command."""

    port: int
    controller_port: int
    cluster_id: str
    spec: ProcessSpec

    def state(self, pid: int | None, started: str) -> KafkaState:
        """What the state file says of it."""
        return KafkaState(
            bootstrap=f"{LOOPBACK}:{self.port}",
            controller=f"{LOOPBACK}:{self.controller_port}",
            cluster_id=self.cluster_id,
            pid=pid,
            started=started,
        )


def prepare_broker(settings: Settings, earlier: KafkaState | None) -> Broker:
    """Lay out (or find again) the node's data under ``data_dir/kafka`` and give its command.

    An earlier node's data is kept, and its ports where they are still free. Raises
    ``MissingJava``, ``JarsUnresolved`` or ``ProcessFailed``.
    """
    java_command = java()
    jars = resolve_jars(settings)
    folder = settings.data_dir.absolute() / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port(_port(earlier.bootstrap) if earlier else None)
    controller_port = port
    while controller_port == port:
        controller_port = free_port(_port(earlier.controller) if earlier else None)
    config = folder / "server.properties"
    config.write_text(server_properties(folder / "data", port, controller_port))
    launch = (java_command, *_JVM, *_logging(settings), "-cp", f"{jars.absolute()}/*")
    cluster_id = _formatted(folder / "data")
    if cluster_id is None:
        cluster_id = _format(launch, config, folder / "data")
    return Broker(
        port=port,
        controller_port=controller_port,
        cluster_id=cluster_id,
        spec=ProcessSpec(
            name=NAME,
            argv=(*launch, "kafka.Kafka", str(config)),
            stop_timeout_s=_STOP_TIMEOUT_S,
        ),
    )


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """The node's configuration: KRaft, broker and controller in one, loopback only."""
    values: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": (f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}"),
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        # One node: every internal topic has one copy.
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        # A few groups only; Kafka's default of 50 files each slows every start.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        # A stage that was off for a month goes on where it was (default: forgotten after 7 days).
        "offsets.retention.minutes": 365 * 24 * 60,
        "group.initial.rebalance.delay.ms": 0,
        # After a kill the node must wait until its former self's session is over (default 9 s).
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 250,
        # Topics are made by ensure_topics with chosen partitions; a misspelt one is an error.
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.response.max.bytes": 2 * MAX_MESSAGE_BYTES,
        "fetch.max.bytes": 4 * MAX_MESSAGE_BYTES,
        # Within -Xmx512m: the default takes 128 MiB of heap at once, for a few small topics.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _logging(settings: Settings) -> tuple[str, str]:
    logs = settings.data_dir.absolute() / "logs"
    return (f"-Dlog4j2.configurationFile={LOG4J_CONFIG}", f"-Dprefstream.log.dir={logs}")


def _formatted(data: Path) -> str | None:
    """The cluster id of the data folder; None where it was never formatted."""
    meta = data / "meta.properties"
    if not meta.exists():
        return None
    for line in meta.read_text().splitlines():
        if line.startswith("cluster.id="):
            return line.removeprefix("cluster.id=")
    return None


def _format(launch: tuple[str, ...], config: Path, data: Path) -> str:
    cluster_id = _new_cluster_id()
    command = [*launch, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProcessFailed(
            f"Kafka could not format {data}: {(done.stderr or done.stdout).strip()[-500:]}"
        )
    return cluster_id


def _new_cluster_id() -> str:
    """A random UUID as Kafka writes it: 22 characters of URL-safe base64, no leading dash."""
    while (text := urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def _port(address: str) -> int | None:
    port = address.rpartition(":")[2]
    return int(port) if port.isdigit() else None
