"""What goes wrong in an answer, each fault on its own: in the SQL, or in what is said of it."""

import random
import re
from typing import Final

from examples.harbor.dice import dice
from examples.harbor.questions import Question
from examples.harbor.templates import JOINS
from examples.harbor.vocabulary import VALUES, literal

Filters = tuple[tuple[str, str], ...]

# A join on the wrong key runs without an error and gives wrong numbers.
_WRONG_JOINS: Final[dict[str, str]] = {
    JOINS["c"]: "o.order_id = c.customer_id",
    JOINS["p"]: "o.order_id = p.product_id",
    JOINS["o"]: "r.refund_id = o.order_id",
}

# Measures that look alike; the first that occurs is exchanged.
_WRONG_MEASURES: Final[tuple[tuple[str, str], ...]] = (
    ("o.amount", "o.gross_amount"),
    ("SUM(o.quantity)", "COUNT(o.quantity)"),
    ("COUNT(o.order_id)", "COUNT(DISTINCT o.customer_id)"),
    ("COUNT(DISTINCT c.customer_id)", "COUNT(c.customer_id)"),
    ("r.refund_amount", "o.amount"),
    ("COUNT(r.refund_id)", "SUM(o.quantity)"),
)

# Names that no view has.
INVENTED: Final[dict[str, tuple[str, ...]]] = {
    "region": ("sales_area", "territory", "geo_zone"),
    "segment": ("client_type", "industry_group", "account_class"),
    "tier": ("loyalty_level", "plan_rank", "status_band"),
    "category": ("product_family", "item_group", "department"),
    "brand": ("vendor_name", "maker", "label_code"),
    "reason": ("return_cause", "refund_code", "complaint_type"),
    "channel": ("sales_route", "order_source", "medium"),
    "order_year": ("fiscal_year", "booking_year", "year_key"),
    "order_quarter": ("fiscal_quarter", "period_code", "quarter_key"),
}


def wrong_join(question: Question, seed: int | str = 0) -> str:
    """The golden SQL with one join on a wrong key. Raises ValueError where nothing is joined."""
    present = [key for key in _WRONG_JOINS if key in question.sql]
    if not present:
        raise ValueError(f"question {question.id} has no join")
    key = dice("wrong join", question.id, seed).choice(present)
    return question.sql.replace(key, _WRONG_JOINS[key])


def wrong_measure(question: Question) -> str:
    """The golden SQL with its measure exchanged for one that looks alike."""
    for right, wrong in _WRONG_MEASURES:
        if right in question.sql:
            return question.sql.replace(right, wrong)
    raise ValueError(f"question {question.id} has no measure that can be exchanged")


def wrong_sql(question: Question, seed: int | str = 0) -> str:
    """A wrong join where there is one to get wrong, else a wrong measure."""
    return wrong_join(question, seed) if "JOIN" in question.sql else wrong_measure(question)


def other_filter(sql: str, draw: random.Random) -> str:
    """The query with one filter on another value, as a policy gets it wrong."""
    column, value = draw.choice(sql_filters(sql))
    other = draw.choice([each for each in VALUES[column] if each != value])
    return sql.replace(
        f"{column} = {literal(column, value)}", f"{column} = {literal(column, other)}"
    )


def unfaithful_value(question: Question, seed: int | str = 0) -> Filters:
    """The question's filters as a wrong explanation states them: another value for one."""
    draw = dice("unfaithful value", question.id, seed)
    place = draw.randrange(len(question.filters))
    column, value = question.filters[place]
    other = draw.choice([each for each in VALUES[column] if each != value])
    return _replaced(question.filters, place, (column, other))


def invented_column(question: Question, seed: int | str = 0) -> Filters:
    """The question's filters as a wrong explanation states them: one column does not exist."""
    draw = dice("invented column", question.id, seed)
    place = draw.randrange(len(question.filters))
    column, value = question.filters[place]
    return _replaced(question.filters, place, (draw.choice(INVENTED[column]), value))


def sql_filters(sql: str) -> Filters:
    """The (column, value) equalities of a query's WHERE clause, in their order."""
    _, _, conditions = sql.partition("WHERE")
    return tuple(re.findall(r"\b\w\.(\w+) = '?(\w+)'?", conditions))


def stated_filters(explanation: str) -> Filters:
    """The (column, value) pairs that an explanation states after "where", in their order."""
    found = re.search(r"\bwhere ([^.\n]*)", explanation)
    return tuple(re.findall(r"(\w+) is (\w+)", found.group(1))) if found else ()


def is_faithful(sql: str, explanation: str) -> bool:
    """Whether the explanation states exactly the SQL's filters (criterion R4)."""
    return bool(sql) and sorted(sql_filters(sql)) == sorted(stated_filters(explanation))


def _replaced(filters: Filters, place: int, pair: tuple[str, str]) -> Filters:
    return (*filters[:place], pair, *filters[place + 1 :])
