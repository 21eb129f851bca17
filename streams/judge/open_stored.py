"""A reference to a judge model into that model behind its verdict store."""

from collections.abc import Callable
from typing import Final

from infra.settings import Settings
from streams.inference.chat import ChatModel
from streams.inference.identity import model_identity, model_name
from streams.judge.settings import Answers
from streams.judge.stored import ReplayedModel, StoredModel
from streams.judge.verdict_store import VerdictStore

VERDICTS: Final = "verdicts.sqlite"
"""The verdict store in the data folder."""


def open_stored(
    ref: str, answers: Answers, settings: Settings, open_model: Callable[[str], ChatModel]
) -> ChatModel:
    """The model that ``open_model`` opens, and its stored answers used as ``answers`` says.

    See stored.py. Raises what ``open_model`` raises; a replay opens no model.
    """
    if answers == "live":
        return open_model(ref)
    identity = model_identity(ref)
    store = VerdictStore(settings.data_dir / VERDICTS)
    if answers == "replay":
        return ReplayedModel(model_name(ref), store, identity)
    return StoredModel(open_model(ref), store, identity, afresh=answers == "record")
