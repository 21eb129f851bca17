"""The real parts that tests run on, each started once a run.

broker        Settings of a real Kafka with every topic, shared by all tests of the run
fresh_broker  the same Kafka with topics and groups of this test alone
log           that one, where a command looks for it
broker_stack  the stack that owns that Kafka, to start processes in
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.kafka import bootstrap, ensure_topics
from infra.settings import PREFIX, Settings
from infra.stack import Stack

_INSTALLED = ("PREFSTREAM_CACHE_DIR", "PREFSTREAM_VLLM_PYTHON")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Whoever runs the tests may have a stack of their own; only what was installed is shared."""
    for name in list(os.environ):
        if name.startswith(PREFIX) and name not in _INSTALLED:
            del os.environ[name]


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell starts background jobs with SIGINT ignored, and what tests start would inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def broker_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a Kafka node in a temporary folder; fails with the remedy without Java."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("stack"))
    with Stack(settings) as stack:
        stack.start_kafka()
        yield stack


@pytest.fixture(scope="session")
def broker(broker_stack: Stack) -> Settings:
    """Settings that reach the shared Kafka; its topics are shared too, so look by id."""
    settings = broker_stack.settings
    return settings.model_copy(update={"bootstrap_servers": bootstrap(settings)})


@pytest.fixture
def fresh_broker(broker: Settings, tmp_path: Path) -> Settings:
    """The shared Kafka with a topic prefix and a data folder of this test's own, topics made."""
    settings = broker.model_copy(
        update={"topic_prefix": f"t{uuid4().hex[:8]}-", "data_dir": tmp_path / "data"}
    )
    ensure_topics(settings)
    return settings


@pytest.fixture
def log(fresh_broker: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The fresh broker, named in the environment as a user names it."""
    for name, value in fresh_broker.environment().items():
        monkeypatch.setenv(name, value)
    return fresh_broker
