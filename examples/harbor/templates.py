"""The question templates: what is asked, over which joins, and what may be filtered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from examples.harbor.vocabulary import ALIAS, literal

_VIEW: Final[dict[str, str]] = {
    "o": "v_revenue_orders o",
    "c": "v_revenue_customers c",
    "p": "v_revenue_products p",
    "r": "v_revenue_refunds r",
}

# How each joined view hangs on the orders; refund templates start from refunds.
JOINS: Final[dict[str, str]] = {
    "c": "o.customer_id = c.customer_id",
    "p": "o.product_id = p.product_id",
    "o": "r.order_id = o.order_id",
}


@dataclass(frozen=True, kw_only=True)
class Template:
    """One kind of question.

    `must` holds groups of filter columns; one column of each group is always there, so that a
    join is never idle. `may` are those that can be added. `does` completes
    "It ..." in an explanation. A phrasing has one place, `{f}`, for the filters.
    """

    name: str
    slice: str
    views: str
    select: str
    does: str
    asks: tuple[str, ...]
    must: tuple[tuple[str, ...], ...]
    may: tuple[str, ...]
    tail: str = ""

    def sql(self, filters: Mapping[str, str]) -> str:
        """The golden query; conditions stand in the vocabulary's order."""
        lines = [f"SELECT {self.select}", f"FROM {_VIEW[self.views[0]]}"]
        lines += [f"JOIN {_VIEW[alias]} ON {JOINS[alias]}" for alias in self.views[1:]]
        conditions = [
            f"{ALIAS[column]}.{column} = {literal(column, filters[column])}"
            for column in ALIAS
            if column in filters
        ]
        lines.append("WHERE " + " AND ".join(conditions))
        if self.tail:
            lines.append(self.tail)
        return "\n".join(lines)


_TIME: Final = ("channel", "order_year", "order_quarter")
_BUYER: Final = ("region", "segment", "tier")
_ITEM: Final = ("category", "brand")

_REVENUE: Final = (
    "What is the total revenue {f}?",
    "How much revenue did we make {f}?",
    "Show me revenue {f}.",
)
_COUNT: Final = (
    "How many orders were placed {f}?",
    "Count the orders {f}.",
    "What is the number of orders {f}?",
)
_AVERAGE: Final = (
    "What is the average order value {f}?",
    "How large is a typical order {f}?",
    "Give me the mean order amount {f}.",
)
_LARGEST: Final = (
    "What is the largest order {f}?",
    "How big was our biggest order {f}?",
    "Find the highest order amount {f}.",
)
_UNITS: Final = (
    "How many units were sold {f}?",
    "What is the total quantity sold {f}?",
    "Show me units sold {f}.",
)


def _by(group: str, what: str) -> tuple[str, ...]:
    return (
        f"Show {what} by {group} {{f}}.",
        f"Break down {what} per {group} {{f}}.",
        f"What is the {what} of each {group} {{f}}?",
    )


def _top(things: str) -> tuple[str, ...]:
    return (
        f"Which three {things} brought the most revenue {{f}}?",
        f"List the top three {things} by revenue {{f}}.",
        f"Who are our best three {things} by revenue {{f}}?",
    )


# select, explanation, phrasings of the measures that several families share
_MEASURES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "revenue": ("SUM(o.amount) AS revenue", "sums amount", _REVENUE),
    "orders": ("COUNT(o.order_id) AS orders", "counts orders", _COUNT),
    "average": ("AVG(o.amount) AS average_order", "averages amount", _AVERAGE),
    "largest": ("MAX(o.amount) AS largest_order", "finds the largest amount", _LARGEST),
    "units": ("SUM(o.quantity) AS units", "sums quantity", _UNITS),
}


_GROUPED_NAMES: Final = {"revenue": "revenue", "units": "units sold", "orders": "order count"}


def _measure(family: str, views: str, name: str, *must: tuple[str, ...]) -> Template:
    select, does, asks = _MEASURES[name]
    return Template(
        name=f"{family}_{name}",
        slice=family,
        views=views,
        select=select,
        does=does,
        asks=asks,
        must=must,
        may=_TIME,
    )


def _grouped(
    family: str,
    views: str,
    column: str,
    measure: str,
    word: str,
    must: tuple[str, ...],
    may: tuple[str, ...],
) -> Template:
    select, does, _ = _MEASURES[measure]
    name = f"{ALIAS[column]}.{column}"
    return Template(
        name=f"{family}_{measure}_by_{column}",
        slice=family,
        views=views,
        select=f"{name}, {select}",
        does=f"{does} per {column}",
        asks=_by(word, _GROUPED_NAMES[measure]),
        must=(must,),
        may=may,
        tail=f"GROUP BY {name}",
    )


TEMPLATES: Final[tuple[Template, ...]] = (
    *(_measure("orders", "o", name, ("channel",)) for name in ("revenue", "orders", "units")),
    _grouped("orders", "o", "channel", "revenue", "channel", ("order_year",), ("order_quarter",)),
    *(_measure("customers", "oc", name, _BUYER) for name in _MEASURES),
    _grouped("customers", "oc", "region", "revenue", "region", ("segment", "tier"), _TIME),
    _grouped("customers", "oc", "segment", "revenue", "segment", ("region", "tier"), _TIME),
    _grouped("customers", "oc", "tier", "orders", "tier", ("region", "segment"), _TIME),
    _grouped("customers", "oc", "channel", "orders", "channel", _BUYER, _TIME[1:]),
    Template(
        name="customers_top",
        slice="customers",
        views="oc",
        select="c.customer_name, SUM(o.amount) AS revenue",
        does="ranks customer_name by amount",
        asks=_top("customers"),
        must=(_BUYER,),
        may=_TIME,
        tail="GROUP BY c.customer_name ORDER BY revenue DESC LIMIT 3",
    ),
    Template(
        name="customers_active",
        slice="customers",
        views="oc",
        select="COUNT(DISTINCT c.customer_id) AS customers",
        does="counts distinct customer_id",
        asks=(
            "How many customers ordered {f}?",
            "Count the active customers {f}.",
            "What is the number of distinct buyers {f}?",
        ),
        must=(_BUYER,),
        may=_TIME,
    ),
    *(_measure("products", "op", name, _ITEM) for name in _MEASURES),
    _grouped("products", "op", "category", "revenue", "category", ("brand",), _TIME),
    _grouped("products", "op", "brand", "units", "brand", ("category",), _TIME),
    _grouped("products", "op", "order_quarter", "revenue", "quarter", _ITEM, _TIME[:2]),
    Template(
        name="products_top",
        slice="products",
        views="op",
        select="p.product_name, SUM(o.amount) AS revenue",
        does="ranks product_name by amount",
        asks=_top("products"),
        must=(_ITEM,),
        may=_TIME,
        tail="GROUP BY p.product_name ORDER BY revenue DESC LIMIT 3",
    ),
    _measure("buyers_and_products", "ocp", "revenue", _BUYER, _ITEM),
    _measure("buyers_and_products", "ocp", "units", _BUYER, _ITEM),
    _grouped("buyers_and_products", "ocp", "category", "revenue", "category", _BUYER, _TIME),
    _grouped("buyers_and_products", "ocp", "region", "units", "region", _ITEM, _TIME),
    Template(
        name="refunds_total",
        slice="refunds",
        views="ro",
        select="SUM(r.refund_amount) AS refunded",
        does="sums refund_amount",
        asks=(
            "How much money did we refund {f}?",
            "What is the total refunded {f}?",
            "Show me refunds {f}.",
        ),
        must=(_TIME,),
        may=("reason",),
    ),
    Template(
        name="refunds_count",
        slice="refunds",
        views="ro",
        select="COUNT(r.refund_id) AS refunds",
        does="counts refunds",
        asks=(
            "How many refunds were there {f}?",
            "Count the refunds {f}.",
            "What is the number of refunds {f}?",
        ),
        must=(_TIME,),
        may=("reason",),
    ),
    Template(
        name="refunds_by_reason",
        slice="refunds",
        views="ro",
        select="r.reason, COUNT(r.refund_id) AS refunds",
        does="counts refunds per reason",
        asks=_by("reason", "refund count"),
        must=(("channel",),),
        may=("order_year", "order_quarter"),
        tail="GROUP BY r.reason",
    ),
    Template(
        name="refunds_of_buyers",
        slice="refunds",
        views="roc",
        select="SUM(r.refund_amount) AS refunded",
        does="sums refund_amount",
        asks=(
            "How much did we refund to buyers {f}?",
            "What is the total refunded to buyers {f}?",
            "Show me refunds to buyers {f}.",
        ),
        must=(_BUYER,),
        may=("reason", "channel", "order_year"),
    ),
    Template(
        name="refunds_by_region",
        slice="refunds",
        views="roc",
        select="c.region, SUM(r.refund_amount) AS refunded",
        does="sums refund_amount per region",
        asks=_by("region", "refunded money"),
        must=(("reason", "segment"),),
        may=("order_year", "order_quarter"),
        tail="GROUP BY c.region",
    ),
)
