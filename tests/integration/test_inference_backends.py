"""The same model over both backends: in this process, and over HTTP from `prefstream serve`."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from infra.settings import Settings
from schemas.errors import ConfigError, DependencyDown, Poison
from schemas.events import CandidateSet
from streams.inference.chat import ChatModel, ChatRequest, as_messages
from streams.inference.in_process import InProcessModel
from streams.inference.open_model import open_model
from streams.inference.openai import OpenAIModel
from streams.inference.server import chat_app, start_server
from streams.sample import SampleSettings, SampleStage
from tests.events import completion
from tests.unit.inference_fixtures import CONTEXT_TOKENS, tiny_model

__all__ = ["tiny_model"]

pytestmark = pytest.mark.integration

KEY = SecretStr("right-key")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
async def local(tiny_model: Path) -> AsyncIterator[InProcessModel]:
    opened = InProcessModel(tiny_model, threads=1)
    yield opened
    await opened.aclose()


@pytest.fixture
async def url(local: InProcessModel) -> AsyncIterator[str]:
    runner, address = await start_server(chat_app(local, KEY), "127.0.0.1", 0)
    yield address
    await runner.cleanup()


@pytest.fixture
async def remote(url: str) -> AsyncIterator[OpenAIModel]:
    opened = OpenAIModel("tiny", url=url, api_key=KEY)
    yield opened
    await opened.aclose()


def request(**options: object) -> ChatRequest:
    values = {"messages": as_messages([("user", "hi there")]), "max_tokens": 24, **options}
    return ChatRequest.model_validate(values)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.8, "seed": 7, "top_p": 0.9},
        {"top_logprobs": 5},
        {"temperature": 1.0, "seed": 3, "top_logprobs": 20, "max_tokens": 3},
        {"stop": ("e", "\n")},
    ],
)
async def test_both_backends_give_the_same_text_and_probabilities(
    local: InProcessModel, remote: OpenAIModel, options: dict[str, object]
) -> None:
    asked = request(**options)
    here = await local.complete(asked)
    there = await remote.complete(asked)
    assert there.model_copy(update={"latency_ms": None, "tokens": ()}) == here.model_copy(
        update={"latency_ms": None, "tokens": ()}
    )
    assert [t.token for t in there.tokens] == [t.token for t in here.tokens]
    for one, other in zip(here.tokens, there.tokens, strict=True):
        assert other.logprob == pytest.approx(one.logprob, abs=1e-4)
        assert dict(other.top) == pytest.approx(dict(one.top), abs=1e-4)


async def test_concurrent_callers_each_get_their_own_answer(
    local: InProcessModel, remote: OpenAIModel
) -> None:
    asked = [request(temperature=1.0, seed=seed, max_tokens=8) for seed in range(20)]
    answers = await asyncio.gather(*map(remote.complete, asked))
    assert [a.text for a in answers] == [(await local.complete(one)).text for one in asked]


async def test_a_prompt_beyond_the_context_is_poison_on_both(
    local: InProcessModel, remote: OpenAIModel
) -> None:
    long = request(messages=as_messages([("user", "x" * CONTEXT_TOKENS)]))
    for model in (local, remote):
        with pytest.raises(Poison, match="shorten the prompt"):
            await model.complete(long)


@pytest.mark.parametrize(
    ("name", "key", "reason"),
    [("tiny", SecretStr("wrong"), "auth"), ("tiny", None, "auth"), ("other", KEY, "model_missing")],
)
async def test_a_wrong_key_or_name_is_a_dependency_that_is_down(
    url: str, name: str, key: SecretStr | None, reason: str
) -> None:
    model = OpenAIModel(name, url=url, api_key=key)
    with pytest.raises(DependencyDown) as caught:
        await model.complete(request())
    await model.aclose()
    assert caught.value.reason == reason
    assert "wrong" not in str(caught.value).replace("is wrong", "")


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with_credentials = OpenAIModel("tiny", url="http://user:hidden@127.0.0.1:9/v1")
    with pytest.raises(DependencyDown, match="cannot be reached") as caught:
        await with_credentials.complete(request())
    await with_credentials.aclose()
    assert caught.value.reason == "unreachable"
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"stream": True}, 400, "does not stream"),
        ({"n": 2}, 400, "gives one answer"),
        ({"messages": []}, 400, "messages"),
        ({"top_logprobs": 21}, 400, "top_logprobs"),
        ({"model": "other"}, 404, "does not exist"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, 400, "unknown role"),
    ],
)
async def test_the_server_refuses_in_the_protocols_words(
    url: str, body: dict[str, object], status: int, says: str
) -> None:
    good: dict[str, object] = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}
    async with httpx.AsyncClient(headers={"Authorization": "Bearer right-key"}) as client:
        response = await client.post(f"{url}/chat/completions", json=good | body)
    assert response.status_code == status
    assert says in response.json()["error"]["message"]


async def test_the_server_lists_its_model_and_survives_nonsense(url: str) -> None:
    async with httpx.AsyncClient(headers={"Authorization": "Bearer right-key"}) as client:
        listed = await client.get(f"{url}/models")
        nonsense = await client.post(f"{url}/chat/completions", content=b"\xff{")
        nowhere = await client.get(f"{url}/nowhere")
        healthy = await client.get(url.removesuffix("/v1") + "/health", headers={})
    assert [entry["id"] for entry in listed.json()["data"]] == ["tiny"]
    assert (nonsense.status_code, nowhere.status_code, healthy.status_code) == (400, 404, 200)
    assert "error" in nonsense.json()
    assert "error" in nowhere.json()


async def test_a_candidate_set_is_the_same_over_both_backends(
    local: InProcessModel, remote: OpenAIModel
) -> None:
    async def texts(model: ChatModel) -> list[str]:
        settings = SampleSettings(max_tokens=12)
        outputs = await SampleStage(settings, [model])(completion())
        (made,) = [event for event in outputs if isinstance(event, CandidateSet)]
        return [candidate.output for candidate in made.candidates]

    assert await texts(local) == await texts(remote)


@pytest.fixture
def served(tiny_model: Path) -> Iterator[str]:
    """`prefstream serve` in a process of its own."""
    code = "from cli.serve import serve; import typer; typer.run(serve)"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", code, str(tiny_model), "--port", "0", "--threads", "1"],
        cwd=REPOSITORY,
        env={**os.environ, "PREFSTREAM_MODEL_API_KEY": KEY.get_secret_value()},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"model tiny at (http://\S+)", line)
        assert found, f"the server said {line!r}"
        yield found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        process.wait()


async def test_the_served_checkpoint_answers_as_the_folder_does(
    served: str, tiny_model: Path, local: InProcessModel
) -> None:
    settings = Settings(model_url=served, model_api_key=KEY)
    over_http = open_model("openai:tiny", settings)
    in_process = open_model(f"path:{tiny_model}", settings)
    asked = request(temperature=0.7, seed=11, top_logprobs=2)
    there, here = await over_http.complete(asked), await in_process.complete(asked)
    assert there.text == here.text
    assert there.fingerprint == here.fingerprint
    await over_http.aclose()
    await in_process.aclose()


def test_a_reference_without_an_endpoint_names_the_remedy() -> None:
    with pytest.raises(ConfigError, match="PREFSTREAM_MODEL_URL"):
        open_model("openai:judge", Settings())
    with pytest.raises(ConfigError, match="path:DIR or openai:NAME"):
        open_model("openai:", Settings())
