"""What reaches the pipeline in a demo run: production answers, thumbs, anchors and labels.

Everyone here is simulated: the users, their thumbs, the annotators.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice

from examples.harbor.anchors import Anchor, anchors
from examples.harbor.core import CoreRow, core_rows
from examples.harbor.demo.sizes import Sizes
from examples.harbor.people import simulated_thumb
from examples.harbor.prompts import messages
from examples.harbor.questions import Question, questions
from examples.harbor.traffic import candidate_set, completion, feedback, labels
from schemas.events import Completion, Event
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest

TEMPERATURE = 0.7
"""At which the copilot answers in production, and so what it is evaluated at."""

MAX_TOKENS = 192
# As many answers as one batch of the model holds.
_CHUNK = 64


def production(model: ChatModel, sizes: Sizes, runner: asyncio.Runner) -> Iterator[list[Event]]:
    """Each question asked by several simulated users, answered by the policy, with their thumbs.

    Yields the events of one batch of answers at a time, so that the stages start at once.
    """
    asked = [
        (question, user)
        for user in range(sizes.users)
        for question in questions("train")[: sizes.prompts]
    ]
    began = datetime.now(UTC)
    for start in range(0, len(asked), _CHUNK):
        chunk = asked[start : start + _CHUNK]
        answers = runner.run(_answers(model, chunk))
        made: list[Event] = []
        for number, ((question, user), answer) in enumerate(
            zip(chunk, answers, strict=True), start
        ):
            moment = began + timedelta(milliseconds=number)
            given = _completion(question, user, answer, moment)
            thumb = simulated_thumb(question, answer.text, user)
            made += [given, feedback(given, thumb, f"simulated-user-{user}")]
        yield made


def labelled(sizes: Sizes) -> list[Event]:
    """Anchors and core comparisons as candidate sets, with their simulated labels."""
    rows: list[Anchor | CoreRow] = [
        *islice(anchors("calibration"), sizes.anchors),
        # the holdout keeps its share of the labelled prompts
        *islice(anchors("holdout"), None if sizes.anchors is None else sizes.anchors // 4),
        *islice(core_rows(), sizes.core),
    ]
    now = datetime.now(UTC)
    return list(
        chain.from_iterable(
            (candidate_set(row, occurred_at=now), *labels(row, occurred_at=now)) for row in rows
        )
    )


async def _answers(model: ChatModel, asked: Sequence[tuple[Question, int]]) -> list[ChatAnswer]:
    return await asyncio.gather(
        *(
            model.complete(
                ChatRequest(
                    messages=messages(question.text),
                    max_tokens=MAX_TOKENS,
                    temperature=TEMPERATURE,
                    seed=user,
                )
            )
            for question, user in asked
        )
    )


def _completion(question: Question, user: int, answer: ChatAnswer, moment: datetime) -> Completion:
    made = completion(
        question,
        answer.text,
        model=answer.model,
        seed=user,
        temperature=TEMPERATURE,
        occurred_at=moment,
    )
    return made.model_copy(
        update={
            "input_tokens": answer.input_tokens,
            "output_tokens": answer.output_tokens,
            "latency_ms": answer.latency_ms,
            "finish_reason": answer.finish_reason,
            "checkpoint": answer.fingerprint,
        }
    )
