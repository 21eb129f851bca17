"""A model reference of the project file into the model behind it."""

from pathlib import Path

from infra.settings import Settings
from schemas.errors import ConfigError
from streams.inference.chat import ChatModel
from streams.inference.device import compute_device
from streams.inference.identity import LOCAL, endpoint_model
from streams.inference.settings import InferenceSettings


def open_model(
    ref: str, settings: Settings, inference: InferenceSettings | None = None
) -> ChatModel:
    """The model that ``ref`` names, an endpoint asked as ``inference`` says.

    | ref           | model                                                       |
    |---------------|-------------------------------------------------------------|
    | ``path:DIR``  | transformers in this process, the folder's weights loaded   |
    | ``openai:NAME`` or ``NAME`` | that model at the endpoint ``settings.model_url`` |

    Raises ``ConfigError`` for an empty reference, a missing endpoint or a device that is not
    there, and ``Fatal`` where the folder holds no model that can be loaded.
    """
    if ref.startswith(LOCAL):
        # imported here: torch takes seconds to load, and only this branch needs it
        from streams.inference.in_process import InProcessModel

        return InProcessModel(Path(ref.removeprefix(LOCAL)), device=compute_device(settings))
    name = endpoint_model(ref)
    if not name:
        raise ConfigError(f"model {ref!r} names no model; write path:DIR or openai:NAME")
    if settings.model_url is None:
        raise ConfigError(
            f"model {ref!r} needs an endpoint; set PREFSTREAM_MODEL_URL=http://host:port/v1, "
            "or name a folder with path:DIR"
        )
    from streams.inference.openai import OpenAIModel

    asked = inference or InferenceSettings()
    return OpenAIModel(
        name,
        url=settings.model_url,
        api_key=settings.model_api_key,
        max_concurrency=asked.concurrency,
        answer_s=asked.answer_s,
        takes=asked.takes.get(name),
    )
