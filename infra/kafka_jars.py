"""Apache Kafka itself: its jars, which Maven resolves once into the cache folder, and Java."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.settings import Settings
from infra.stack_state import locked
from schemas.errors import PrefstreamError

_FOLDER = Path(__file__).with_name("kafka")
_POM = _FOLDER / "pom.xml"
LOG4J_CONFIG = _FOLDER / "log4j2.properties"

# Kafka 4's brokers are compiled for Java 17.
_LOWEST_JAVA = 17
_MAVEN_TIMEOUT_S = 600.0
_ERROR_LINES = 4


class MissingJava(PrefstreamError):
    """Java (or Maven, where the jars are not cached yet) is missing or too old."""


class JarsUnresolved(PrefstreamError):
    """Maven could not fetch Kafka's jars."""


def kafka_version() -> str:
    """The version of Apache Kafka that pom.xml names."""
    found = re.search(r"<kafka\.version>([^<]+)<", _POM.read_text())
    assert found, "infra/kafka/pom.xml names no kafka.version"
    return found[1]


def java() -> str:
    """The java command: of JAVA_HOME where that is set, else of PATH; raises ``MissingJava``."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    if found := found or shutil.which("java"):
        return found
    raise MissingJava(
        "the local Kafka needs Java 17 or newer and there is no java command; "
        "install it (Debian: apt-get install openjdk-17-jre-headless) or set "
        "PREFSTREAM_BOOTSTRAP_SERVERS to a Kafka that already runs"
    )


def java_problem(settings: Settings) -> str | None:
    """One sentence saying why the local Kafka cannot run here and what to do; None if it can."""
    try:
        _check_java(java())
        if not jars_folder(settings).exists():
            _maven()
    except MissingJava as error:
        return str(error)
    return None


def jars_folder(settings: Settings) -> Path:
    """Where the jars of exactly this pom.xml are kept; it exists only when it is complete."""
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:8]
    return settings.cache_dir / f"kafka-{kafka_version()}-{digest}"


def resolve_jars(settings: Settings) -> Path:
    """The folder of Kafka's jars, fetched by Maven if they are not cached yet (about 15 s).

    Any number of processes may ask at once: one fetches, the others wait. Raises ``MissingJava``
    or ``JarsUnresolved``.
    """
    folder = jars_folder(settings)
    if folder.exists():
        return folder
    maven = _maven()
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with locked(settings.cache_dir / f"{folder.name}.lock"):
        if folder.exists():
            return folder
        draft = folder.with_name(f"{folder.name}.part")
        # We hold the lock, so whoever left one is dead.
        shutil.rmtree(draft, ignore_errors=True)
        _copy_jars(maven, draft)
        draft.rename(folder)
    return folder


def _copy_jars(maven: str, target: Path) -> None:
    command = [maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={target.absolute()}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_MAVEN_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise JarsUnresolved(
            f"Maven did not fetch Kafka's jars within {_MAVEN_TIMEOUT_S:g} s; "
            "check the network (or the mirror in Maven's settings.xml) and try again"
        ) from None
    if done.returncode != 0 or not list(target.glob("kafka_2.13-*.jar")):
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise JarsUnresolved(
            "Maven could not fetch Kafka's jars; check the network (or the mirror in Maven's "
            "settings.xml) and try again. Maven said:\n  " + "\n  ".join(said[:_ERROR_LINES])
        )


def _maven() -> str:
    if found := shutil.which("mvn"):
        return found
    raise MissingJava(
        "Kafka's jars are fetched by Maven and there is no mvn command; install it "
        "(Debian: apt-get install maven) or set PREFSTREAM_BOOTSTRAP_SERVERS to a Kafka that "
        "already runs"
    )


def _check_java(command: str) -> None:
    done = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    if done.returncode != 0 or not found:
        raise MissingJava(
            f"{command} -version fails; install Java {_LOWEST_JAVA} or newer "
            "(Debian: apt-get install openjdk-17-jre-headless)"
        )
    if int(found[1]) < _LOWEST_JAVA:
        raise MissingJava(
            f"{command} is Java {found[1]} and Kafka needs {_LOWEST_JAVA} or newer; install one "
            "(Debian: apt-get install openjdk-17-jre-headless) or point JAVA_HOME at it"
        )
