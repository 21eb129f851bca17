"""A request as the protocol carries it."""

from schemas.records import Message
from streams.inference.chat import ChatRequest
from streams.inference.openai_wire import request_body
from streams.inference.settings import Takes

REQUEST = ChatRequest(
    messages=(Message(role="user", content="how many?"),), max_tokens=40, top_logprobs=8
)


def test_a_request_has_every_field_that_decides_its_answer() -> None:
    assert request_body("m", REQUEST) == {
        "model": "m",
        "messages": [{"role": "user", "content": "how many?"}],
        "max_tokens": 40,
        "temperature": 0.0,
        "top_p": 1.0,
        "seed": 0,
        "logprobs": True,
        "top_logprobs": 8,
    }


def test_a_model_is_sent_only_what_it_takes() -> None:
    takes = Takes(max_tokens_as="max_completion_tokens", without=("temperature", "top_p", "seed"))
    asked = REQUEST.model_copy(update={"top_logprobs": 0, "stop": ("\n",)})
    assert request_body("m", asked, takes) == {
        "model": "m",
        "messages": [{"role": "user", "content": "how many?"}],
        "max_completion_tokens": 40,
        "stop": ["\n"],
    }
