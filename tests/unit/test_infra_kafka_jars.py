"""What is said where Java or Maven is missing."""

import re
from pathlib import Path

import pytest

from infra import kafka_jars
from infra.kafka_jars import MissingJava, jars_folder, java_problem, resolve_jars
from infra.settings import Settings


def _command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with no command but those a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache")


def test_no_java_is_said_with_the_remedy(bare: Path, settings: Settings) -> None:
    problem = java_problem(settings) or ""
    assert "Java 17" in problem
    assert "PREFSTREAM_BOOTSTRAP_SERVERS" in problem
    assert "\n" not in problem


def test_old_java_is_said_with_its_version(bare: Path, settings: Settings) -> None:
    _command(bare, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    assert "Java 11" in (java_problem(settings) or "")


def test_java_that_does_not_run_is_a_problem(bare: Path, settings: Settings) -> None:
    _command(bare, "java", "exit 1")
    assert "fails" in (java_problem(settings) or "")


def test_no_maven_is_a_problem_only_while_the_jars_are_missing(
    bare: Path, settings: Settings
) -> None:
    _command(bare, "java", "echo 'openjdk version \"21.0.1\" 2023-10-17' >&2")
    assert "mvn" in (java_problem(settings) or "")
    jars_folder(settings).mkdir(parents=True)
    assert java_problem(settings) is None


def test_without_maven_there_are_no_jars(bare: Path, settings: Settings) -> None:
    with pytest.raises(MissingJava, match="mvn"):
        resolve_jars(settings)


def test_failing_maven_leaves_nothing_behind(bare: Path, settings: Settings) -> None:
    _command(bare, "mvn", "echo 'Could not transfer artifact'; exit 1")
    with pytest.raises(kafka_jars.JarsUnresolved, match="Could not transfer artifact"):
        resolve_jars(settings)
    assert not jars_folder(settings).exists()


def test_jars_are_resolved_once(bare: Path, settings: Settings) -> None:
    count = bare / "count"
    # The last argument is -DoutputDirectory=FOLDER.
    _command(
        bare,
        "mvn",
        f'for a; do :; done; d="${{a#*=}}"; echo x >> {count}; '
        '/bin/mkdir -p "$d"; echo > "$d/kafka_2.13-x.jar"',
    )
    folders = {resolve_jars(settings) for _ in range(3)}
    assert [folder.is_dir() for folder in folders] == [True]
    assert count.read_text() == "x\n"


def test_pom_names_no_address_but_maven_s_own() -> None:
    pom = (Path(kafka_jars.__file__).parent / "kafka" / "pom.xml").read_text()
    assert re.findall(r"\w+://[^\"\s<]+", pom) == ["http://maven.apache.org/POM/4.0.0"]
