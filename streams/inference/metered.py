"""A model reference into a model that is priced, budgeted, and known to be the right one."""

from collections.abc import Callable

from infra.settings import Settings
from schemas.errors import ConfigError
from streams.inference.breaker import CircuitBreaker
from streams.inference.budget import BudgetedModel
from streams.inference.chat import ChatModel
from streams.inference.identity import LOCAL
from streams.inference.named import NamedModel
from streams.inference.open_model import open_model
from streams.inference.priced import PricedModel
from streams.inference.settings import Budget, InferenceSettings
from streams.inference.spending import SpendingLedger

SPENDING = "spending.sqlite"
"""The spending ledger in the data folder."""


def open_metered(
    ref: str,
    settings: Settings,
    inference: InferenceSettings,
    *,
    stage: str,
    budget: Callable[[], Budget],
) -> ChatModel:
    """The model that ``ref`` names, with what ``inference`` says of it.

    ``budget`` gives what may be spent at this moment; a model without a price has none.

    A model in this process costs nothing, cannot be away, and is opened as it is. Raises
    ``ConfigError`` also where a budget is set and the model has no price.
    """
    model = open_model(ref, settings, inference)
    if ref.startswith(LOCAL):
        return model
    name, now = model.model, budget()
    model = CircuitBreaker(NamedModel(model, inference.answers_as.get(name)))
    price = inference.prices.get(name)
    if price is None and (now.hourly_usd is not None or now.total_usd is not None):
        raise ConfigError(
            f"inference.budget of pipeline.yaml bounds what model {name} may cost, but "
            f"inference.prices has no price for it; add `{name}: {{input_usd: …, output_usd: …}}` "
            "in USD per million tokens (0 where it is your own server)"
        )
    if price is None:
        return model
    ledger = SpendingLedger(settings.data_dir / SPENDING, stage)
    return BudgetedModel(PricedModel(model, price), price, budget, ledger)
