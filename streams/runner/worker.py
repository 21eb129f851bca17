"""One worker process of a stage on Kafka: its start, its end and its exit status."""

import asyncio
import logging
from typing import Any

from confluent_kafka import KafkaException

from infra.kafka import ADMIN_TIMEOUT_S, admin, bootstrap, topic_name, unreachable
from infra.settings import Settings
from schemas.errors import ConfigError, PrefstreamError
from streams.faust_app import FaustWorker
from streams.runner.worker_options import WorkerOptions
from streams.stage import Stage
from streams.topology import input_topic

logger = logging.getLogger(__name__)

# sysexits.h EX_SOFTWARE: started again it may well fail again; a person should read the sentence.
EXIT_FATAL = 70


def run_worker(
    settings: Settings,
    stage: Stage[Any],
    options: WorkerOptions | None = None,
    *,
    source: str | None = None,
) -> int:
    """Run a stage on Kafka until SIGTERM or SIGINT; returns the exit status of the process.

    0 after a graceful drain; 70 where the stage or the runner cannot go on, with one sentence in
    the log (a stack trace only for defects). ``source`` is the topic to read where the stage is
    none of the topology's. Raises ``ConfigError`` where that topic does not exist and
    ``DependencyDown`` where Kafka cannot be reached at the start.
    """
    topic = source or input_topic(stage.name)
    require_topic(settings, topic)
    worker = FaustWorker(settings, stage, options or WorkerOptions(), topic)
    try:
        asyncio.run(worker.run())
    except PrefstreamError as error:
        logger.critical("%s: stopped: %s", stage.name, error)
        return EXIT_FATAL
    except Exception as error:
        logger.critical(
            "%s: stopped by a defect, please report it: %s: %s",
            stage.name,
            type(error).__name__,
            error,
            exc_info=error,
        )
        return EXIT_FATAL
    return 0


def require_topic(settings: Settings, topic: str) -> None:
    """Raise ``ConfigError`` where the topic is missing: faust would wait for it for ever."""
    client, name = admin(settings), topic_name(settings, topic)
    try:
        topics = client.list_topics(timeout=ADMIN_TIMEOUT_S).topics
    except KafkaException as error:
        raise unreachable(settings, error) from None
    if name not in topics:
        raise ConfigError(
            f"Kafka at {bootstrap(settings)} has no topic {name}; create the topics with "
            "`prefstream up`, or set PREFSTREAM_TOPIC_PREFIX as where they are"
        )
