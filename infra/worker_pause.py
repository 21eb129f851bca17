"""Why a worker takes nothing in, as it says on its health port."""

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

_TIMEOUT_S = 1.0


class WorkerPause(BaseModel):
    """``reason`` is one word (auth, budget, …), ``sentence`` what is wrong and what to do."""

    model_config = ConfigDict(frozen=True)

    reason: str
    sentence: str


class _Health(BaseModel):
    """The part of a worker's health that is told here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    paused_reason: str | None
    paused_sentence: str | None


def worker_pause(url: str) -> WorkerPause | None:
    """The pause of the worker whose health is at ``url``; None where it has none or is silent."""
    try:
        # on loopback: no proxy has a part in it, and no certificate
        found = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False, verify=False)
        health = _Health.model_validate_json(found.content)
    except (httpx.HTTPError, ValidationError):
        return None
    if health.paused_reason is None:
        return None
    return WorkerPause(reason=health.paused_reason, sentence=health.paused_sentence or "")
