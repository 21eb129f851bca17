"""A model reference into a model that is priced, budgeted, and known to be the right one."""

from infra.settings import Settings
from schemas.errors import ConfigError
from streams.inference.breaker import CircuitBreaker
from streams.inference.budget import BudgetedModel
from streams.inference.chat import ChatModel
from streams.inference.identity import LOCAL
from streams.inference.named import NamedModel
from streams.inference.open_model import open_model
from streams.inference.priced import PricedModel
from streams.inference.settings import InferenceSettings
from streams.inference.spending import SpendingLedger

SPENDING = "spending.sqlite"
"""The spending ledger in the data folder."""


def open_metered(
    ref: str, settings: Settings, inference: InferenceSettings, *, stage: str
) -> ChatModel:
    """The model that ``ref`` names, with what ``inference`` says of it.

    A model in this process costs nothing, cannot be away, and is opened as it is. Raises
    ``ConfigError`` also where a budget is set and the model has no price.
    """
    model = open_model(ref, settings, inference)
    if ref.startswith(LOCAL):
        return model
    name, budget = model.model, inference.budget
    model = CircuitBreaker(NamedModel(model, inference.answers_as.get(name)))
    price = inference.prices.get(name)
    is_bounded = budget.hourly_usd is not None or budget.total_usd is not None
    if price is None and is_bounded:
        raise ConfigError(
            f"inference.budget of pipeline.yaml bounds what model {name} may cost, but "
            f"inference.prices has no price for it; add `{name}: {{input_usd: …, output_usd: …}}` "
            "in USD per million tokens (0 where it is your own server)"
        )
    if price is None:
        return model
    model = PricedModel(model, price)
    if not is_bounded:
        return model
    ledger = SpendingLedger(settings.data_dir / SPENDING, stage)
    return BudgetedModel(model, price, budget, ledger)
