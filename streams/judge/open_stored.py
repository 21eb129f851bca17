"""A reference to a judge model into that model behind its verdict store."""

from typing import Final

from infra.settings import Settings
from streams.inference.chat import ChatModel
from streams.inference.identity import model_identity, model_name
from streams.inference.metered import open_metered
from streams.inference.settings import InferenceSettings
from streams.judge.settings import Answers
from streams.judge.stored import ReplayedModel, StoredModel
from streams.judge.verdict_store import VerdictStore

VERDICTS: Final = "verdicts.sqlite"
"""The verdict store in the data folder."""


def open_stored(
    ref: str, answers: Answers, settings: Settings, inference: InferenceSettings
) -> ChatModel:
    """The model that ``ref`` names, and its stored answers used as ``answers`` says (stored.py).

    A relative folder counts from the working directory. Raises what ``open_metered`` raises; a
    replay opens no model.
    """
    if answers == "live":
        return open_metered(ref, settings, inference, stage="judge")
    identity = model_identity(ref)
    store = VerdictStore(settings.data_dir / VERDICTS)
    if answers == "replay":
        return ReplayedModel(model_name(ref), store, identity)
    model = open_metered(ref, settings, inference, stage="judge")
    return StoredModel(model, store, identity, afresh=answers == "record")
