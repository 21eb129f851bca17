"""The judge stage, as a project configures it, at endpoints that misbehave in every known way.

Each way has a named outcome, and no comparison is lost: it is judged once the endpoint is mended,
or becomes a dead letter that says why.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from infra.ports import free_port
from infra.settings import Settings
from schemas.errors import Fatal
from schemas.events import Comparison, Judgment
from schemas.records import Winner
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.local import LocalRun, run_local
from streams.pipeline import build_stage
from streams.runner.attempt import Patience
from streams.runner.retry import RetryPolicy
from tests.chat_server import ChatServer, Misbehaviour, half_a_stream, silence, status
from tests.unit.judge_case import ReadingModel, comparison, spoken

pytestmark = pytest.mark.integration

NAME = "reading-model"
PIPELINE = """\
pair: {rubric_id: harbor}
judge: {model: %s, rubric: harbor/1, answers: live}
inference:
  prices: {%s: {input_usd: 1000, output_usd: 2000}}
"""
RUBRIC = """\
id: harbor
version: "1"
criteria:
  - {id: R4, text: It is faithful., decided_by: judge}
instructions: Compare.
tie_policy: Equal is a tie.
"""
# All of the first two rounds of 4 comparisons in 2 orders, more than open the circuit breaker.
MANY = 16
EVENTS = [comparison(event_id=f"comparison-{n}") for n in range(6)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "rubrics" / "harbor").mkdir(parents=True)
    (tmp_path / "rubrics" / "harbor" / "1.yaml").write_text(RUBRIC)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE % (NAME, NAME))
    return tmp_path


def be_impatient(project: Path) -> None:
    """Only where no answer comes: one that does may take its time on a busy machine."""
    with (project / "pipeline.yaml").open("a") as file:
        file.write("  answer_s: 0.3\n")


class Waits:
    """A sleep that takes no time, and remembers what was asked for."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self.during: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        if self.during is not None:
            await self.during()
        await asyncio.sleep(0)


async def judge(
    project: Path,
    url: str,
    waits: Waits,
    events: Sequence[Comparison] = EVENTS,
    policy: RetryPolicy | None = None,
) -> LocalRun:
    settings = Settings(model_url=url, data_dir=project / "data")
    stage = build_stage("judge", project, settings)
    patience = Patience(policy=policy or RetryPolicy(), sleep=waits, jitter=lambda: 0.5)
    try:
        return await run_local([stage], events, concurrency=4, patience=patience)
    finally:
        await stage.aclose()


def winners(run: LocalRun) -> list[Winner]:
    judged = run.outputs.get("judgments", [])
    return [event.winner for event in judged if isinstance(event, Judgment)]


def pauses(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The reasons for which the intake stood still."""
    said = (record.getMessage() for record in caplog.records)
    return {text.split("(")[1].split(")")[0] for text in said if "intake paused" in text}


class Other:
    """Answers as the model does, changed."""

    model = NAME

    def __init__(self, change: Callable[[ChatAnswer], ChatAnswer]) -> None:
        self._model = ReadingModel()
        self._change = change

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        return self._change(await self._model.complete(request))

    async def aclose(self) -> None:
        """Nothing is held."""


async def wrong_model(request: web.Request) -> web.StreamResponse:
    answered = await ChatServer(ReadingModel()).answer(request)
    body = answered.model_copy(update={"model": "cheap-model"}).model_dump_json()
    return web.json_response(text=body)


EMPTY_CHOICES = f'{{"model": "{NAME}", "choices": []}}'
HTML = "<html>sign in to the network</html>"
UNSUPPORTED = '{"error": {"message": "use max_completion_tokens", "code": "unsupported_parameter"}}'
OUTAGES: list[tuple[str, Misbehaviour, str]] = [
    ("slow", silence, "failing"),
    ("limited", status(429, retry_after="7"), "rate_limit"),
    ("error", status(500), "failing"),
    ("gateway", status(503, HTML, "text/html"), "unreachable"),
    ("html", status(200, HTML, "text/html"), "failing"),
    ("half a stream", half_a_stream, "failing"),
    ("empty choices", status(200, EMPTY_CHOICES), "failing"),
    ("wrong model", wrong_model, "wrong_model"),
    ("no such model", status(404), "model_missing"),
    ("key refused", status(401), "auth"),
    ("no credit", status(402), "billing"),
    ("no such field", status(400, UNSUPPORTED), "unsupported"),
]


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [pytest.param(misbehave, reason, id=name) for name, misbehave, reason in OUTAGES],
)
async def test_an_endpoint_that_fails_everyone_pauses_intake_and_loses_nothing(
    project: Path, caplog: pytest.LogCaptureFixture, misbehave: Misbehaviour, reason: str
) -> None:
    caplog.set_level(logging.WARNING)
    if misbehave is silence:
        be_impatient(project)
    waits, server = Waits(), ChatServer(ReadingModel(), misbehave, times=MANY)
    async with server.listening() as url:
        run = await judge(project, url, waits)
    assert winners(run) == [Winner.A] * len(EVENTS)
    assert run.dead_letters == []
    assert pauses(caplog) == {reason}
    if reason == "rate_limit":
        assert min(waits.asked_s) >= 7


async def test_an_endpoint_that_is_down_is_waited_for(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    port, waits = free_port(), Waits()
    async with asyncio.TaskGroup() as group:
        back, over = asyncio.Event(), asyncio.Event()

        async def serve() -> None:
            await back.wait()
            async with ChatServer(ReadingModel()).listening(port):
                await over.wait()

        async def start_it() -> None:
            if len(waits.asked_s) == 3:
                back.set()

        waits.during = start_it
        group.create_task(serve())
        run = await judge(project, f"http://127.0.0.1:{port}/v1", waits)
        over.set()
    assert winners(run) == [Winner.A] * len(EVENTS)
    assert pauses(caplog) == {"unreachable"}


@pytest.mark.parametrize(
    ("misbehave", "error", "retryable"),
    [
        pytest.param(status(500), "failed on a request", True, id="error"),
        pytest.param(half_a_stream, "broke off an answer", True, id="half a stream"),
        pytest.param(silence, "gave no answer", True, id="slow"),
        pytest.param(status(400), "refuses this request", False, id="refused"),
    ],
)
async def test_one_comparison_that_always_fails_is_a_dead_letter_that_says_why(
    project: Path, misbehave: Misbehaviour, error: str, retryable: bool
) -> None:
    cursed = comparison(event_id="cursed", a="a cursed answer")
    if misbehave is silence:
        be_impatient(project)

    class Cursing(ChatServer):
        async def _complete(self, request: web.Request) -> web.StreamResponse:
            if b"cursed" in await request.read():
                return await misbehave(request)
            return await super()._complete(request)

    async with Cursing(ReadingModel()).listening() as url:
        run = await judge(project, url, Waits(), [EVENTS[0], cursed, *EVENTS[1:]])
    assert winners(run) == [Winner.A] * len(EVENTS)
    (letter,) = run.dead_letters
    assert error in letter.message
    assert letter.retryable is retryable
    assert letter.source_ids == ("cursed",)
    assert b"a cursed answer" in letter.value


async def test_without_log_probabilities_there_is_a_verdict_and_no_margin(project: Path) -> None:
    plain = Other(lambda answer: answer.model_copy(update={"tokens": ()}))
    async with ChatServer(plain).listening() as url:
        run = await judge(project, url, Waits())
    assert winners(run) == [Winner.A] * len(EVENTS)
    judged = [event for event in run.outputs["judgments"] if isinstance(event, Judgment)]
    assert {event.margin for event in judged} == {None}


@pytest.mark.parametrize(
    "answer",
    [
        spoken(["Verdict", ":", " C"], {" C": 0.9}, model=NAME),
        spoken(["Verdict", ":", " A"], {" A": 0.5, " maybe": 0.5}, model=NAME),
        spoken(["I", " like", " both"], {" both": 1.0}, model=NAME),
        ChatAnswer(text="", model=NAME),
    ],
)
async def test_a_verdict_that_is_not_offered_is_invalid_and_never_a_coin(
    project: Path, answer: ChatAnswer
) -> None:
    async with ChatServer(Other(lambda _: answer)).listening() as url:
        run = await judge(project, url, Waits())
    assert winners(run) == [Winner.INVALID] * len(EVENTS)
    assert run.dead_letters == []


def counted() -> Other:
    """A judge whose every answer costs 0.2 USD."""
    return Other(lambda a: a.model_copy(update={"input_tokens": 100, "output_tokens": 50}))


async def test_opinions_carry_what_they_cost(project: Path) -> None:
    async with ChatServer(counted()).listening() as url:
        run = await judge(project, url, Waits())
    judged = [event for event in run.outputs["judgments"] if isinstance(event, Judgment)]
    costs = [opinion.cost_usd for event in judged for opinion in event.opinions]
    assert costs == pytest.approx([0.2] * 2 * len(EVENTS))


async def test_a_spent_budget_pauses_intake_until_it_is_raised(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And what was answered before is neither asked nor paid for again."""
    caplog.set_level(logging.WARNING)
    project_file = project / "pipeline.yaml"
    configured = project_file.read_text().replace("live", "cache")
    server, quick = ChatServer(counted()), RetryPolicy(outage_limit_s=1e-9)
    async with server.listening() as url:
        project_file.write_text(f"{configured}  budget: {{total_usd: 1.5}}\n")
        with pytest.raises(Fatal, match=r"raise inference\.budget\.total_usd"):
            await judge(project, url, Waits(), policy=quick)
        assert pauses(caplog) == {"budget"}
        asked = server.requests
        assert 0 < asked < 2 * len(EVENTS)
        project_file.write_text(f"{configured}  budget: {{total_usd: 10}}\n")
        run = await judge(project, url, Waits(), policy=quick)
    assert winners(run) == [Winner.A] * len(EVENTS)
    assert server.requests == 2 * len(EVENTS)


async def test_a_budget_that_is_raised_during_the_pause_needs_no_restart(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    project_file, waits = project / "pipeline.yaml", Waits()
    configured = project_file.read_text().replace("live", "cache")
    project_file.write_text(f"{configured}  budget: {{total_usd: 1.5}}\n")

    async def raised() -> None:
        project_file.write_text(f"{configured}  budget: {{total_usd: 10}}\n")

    waits.during = raised
    server = ChatServer(counted())
    async with server.listening() as url:
        run = await judge(project, url, waits)
    assert pauses(caplog) == {"budget"}
    assert winners(run) == [Winner.A] * len(EVENTS)
    assert server.requests == 2 * len(EVENTS)


async def test_a_replay_gives_the_recorded_judgments_without_an_endpoint(project: Path) -> None:
    project_file = project / "pipeline.yaml"
    configured = project_file.read_text()
    project_file.write_text(configured.replace("live", "record"))
    server = ChatServer(ReadingModel())
    async with server.listening() as url:
        recorded = await judge(project, url, Waits())
    assert server.requests == 2 * len(EVENTS)
    project_file.write_text(configured.replace("live", "replay"))
    unseen = comparison(event_id="unseen")
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    replayed = await judge(project, nowhere, Waits(), [*EVENTS, unseen])
    assert replayed.outputs["judgments"] == recorded.outputs["judgments"]
    (miss,) = replayed.dead_letters
    assert miss.source_ids == ("unseen",)
    assert "judge.answers is replay, which asks nobody" in miss.message
