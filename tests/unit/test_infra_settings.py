"""Settings: where values come from, and what is said of bad ones."""

from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.errors import ConfigError


def test_environment_gives_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFSTREAM_PARTITIONS", "8")
    monkeypatch.setenv("PREFSTREAM_BOOTSTRAP_SERVERS", "a:9092,b:9092")
    settings = Settings()
    assert (settings.partitions, settings.bootstrap_servers) == (8, "a:9092,b:9092")


def test_argument_wins_over_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFSTREAM_PARTITIONS", "8")
    assert Settings(partitions=2).partitions == 2


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFSTREAM_CLICKHOUSE_URL", "")
    assert Settings().clickhouse_url is None


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("PREFSTREAM_PARTITIONS", "many", "whole number"),
        ("PREFSTREAM_PARTITIONS", "0", "whole number"),
        ("PREFSTREAM_BOOTSTRAP_SERVERS", "http://kafka:9092", "host:port"),
        ("PREFSTREAM_BOOTSTRAP_SERVERS", "kafka", "host:port"),
        ("PREFSTREAM_CLICKHOUSE_URL", "localhost:8123", "http://host:port"),
        ("PREFSTREAM_MODEL_URL", "localhost", "http://host:port/v1"),
        ("PREFSTREAM_TOPIC_PREFIX", "a b", "letters"),
    ],
)
def test_bad_value_names_variable_value_and_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=remedy) as raised:
        Settings()
    assert variable in str(raised.value)
    assert value in str(raised.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFSTREAM_PARTITIONS", "0")
    monkeypatch.setenv("PREFSTREAM_MODEL_URL", "x")
    with pytest.raises(ConfigError, match=r"PARTITIONS.*MODEL_URL"):
        Settings()


def test_misspelt_variable_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFSTREAM_BOOTSTRAP_SERVER", "a:9092")
    with pytest.raises(ConfigError, match="PREFSTREAM_BOOTSTRAP_SERVERS"):
        Settings()


def test_variables_that_kubernetes_adds_are_no_slips(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "SERVICE_HOST", "SERVICE_PORT", "PORT_8080_TCP", "PORT_8080_TCP_PROTO"):
        monkeypatch.setenv(f"PREFSTREAM_{name}", "tcp://10.0.0.1:8080")
    Settings()


def test_key_is_in_no_text_of_the_settings() -> None:
    settings = Settings.model_validate({"model_api_key": "k-very-secret"})
    assert "k-very-secret" not in f"{settings!r} {settings.model_dump_json()}"


def test_environment_for_children_gives_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "partitions": 3, "topic_prefix": "a-", "model_api_key": "k"}
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_folders_for_children_do_not_depend_on_the_working_directory() -> None:
    assert Path(Settings().environment()["PREFSTREAM_DATA_DIR"]).is_absolute()
