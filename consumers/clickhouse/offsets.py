"""Commits of the sink, and what their refusal means."""

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import Fatal, PrefstreamError

_SAME_NAME = KafkaError.FENCED_INSTANCE_ID


class CommitRefused(PrefstreamError):
    """The group did not take a commit. Whatever was inserted is inserted again under the same
    token, by this sink or by the one that has the partition now."""


def commit(consumer: Consumer, offsets: Sequence[TopicPartition]) -> None:
    """Commit the offsets, with their metadata, and wait for it.

    Raises ``CommitRefused`` if any was refused (a rebalance under way, a partition taken away),
    and ``Fatal`` if another member has this one's instance name.
    """
    if not offsets:
        return
    try:
        results = consumer.commit(offsets=list(offsets), asynchronous=False)
    except KafkaException as error:
        raise _refused(error.args[0]) from None
    for result in results or ():
        if result.error is not None:
            raise _refused(result.error)


def _refused(error: KafkaError) -> PrefstreamError:
    if error.code() == _SAME_NAME or error.fatal():
        return Fatal(
            f"another sink runs under this one's instance name ({error.str()}); give each its own "
            "by `prefstream sink --instance NAME`"
        )
    return CommitRefused(f"the group refused a commit: {error.str()}")
