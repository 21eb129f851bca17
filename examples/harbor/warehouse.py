"""Harbor's warehouse: a DuckDB file with raw tables and the views the copilot may query."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import duckdb

from examples.harbor.dice import dice
from examples.harbor.vocabulary import VALUES

_Row = tuple[object, ...]

VIEWS: Final[tuple[str, ...]] = (
    "v_revenue_orders",
    "v_revenue_customers",
    "v_revenue_products",
    "v_revenue_refunds",
)

# Ids of every table start at 1, so a join on the wrong key finds partners and runs without an
# error: only its numbers are wrong.
_CUSTOMERS: Final = 160
_PRODUCTS: Final = 60
_ORDERS: Final = 1800
_REFUNDED_SHARE: Final = 0.35
_DAYS: Final = 3 * 365 + 1  # 2022, 2023 and the leap year 2024

_TABLES: Final = """
CREATE TABLE raw_customers (customer_id INTEGER, customer_name VARCHAR, email VARCHAR,
    region VARCHAR, segment VARCHAR, tier VARCHAR, is_test BOOLEAN);
CREATE TABLE raw_products (product_id INTEGER, product_name VARCHAR, category VARCHAR,
    brand VARCHAR, list_price DECIMAL(10, 2), supplier_cost DECIMAL(10, 2));
CREATE TABLE raw_orders (order_id INTEGER, customer_id INTEGER, product_id INTEGER,
    ordered_on DATE, channel VARCHAR, quantity INTEGER, gross_amount DECIMAL(10, 2),
    discount DECIMAL(10, 2), status VARCHAR);
CREATE TABLE raw_refunds (refund_id INTEGER, order_id INTEGER, reason VARCHAR,
    refund_amount DECIMAL(10, 2), approved BOOLEAN);
"""

# The views are the definition of revenue: no cancelled orders, no test accounts, net of discount.
_VIEW_DDL: Final = """
CREATE VIEW v_revenue_customers AS
    SELECT customer_id, customer_name, region, segment, tier FROM raw_customers WHERE NOT is_test;
CREATE VIEW v_revenue_products AS
    SELECT product_id, product_name, category, brand FROM raw_products;
CREATE VIEW v_revenue_orders AS
    SELECT order_id, customer_id, product_id, year(ordered_on) AS order_year,
        'Q' || quarter(ordered_on) AS order_quarter, channel, quantity, gross_amount,
        gross_amount - discount AS amount
    FROM raw_orders WHERE status = 'paid';
CREATE VIEW v_revenue_refunds AS
    SELECT refund_id, order_id, reason, refund_amount FROM raw_refunds WHERE approved;
"""

_COLUMNS: Final[dict[str, str]] = {
    "v_revenue_orders": "order_id, customer_id, product_id, order_year, order_quarter, channel, "
    "quantity, gross_amount, amount",
    "v_revenue_customers": "customer_id, customer_name, region, segment, tier",
    "v_revenue_products": "product_id, product_name, category, brand",
    "v_revenue_refunds": "refund_id, order_id, reason, refund_amount",
}


def schema_prompt() -> str:
    """The system message of the copilot: the views it may read, their columns and values."""
    views = "\n".join(f"{view}({_COLUMNS[view]})" for view in VIEWS)
    values = "\n".join(f"{column}: {', '.join(vocab)}" for column, vocab in VALUES.items())
    return (
        "You are Harbor Analytics' SQL copilot. Answer with one DuckDB query over these views, "
        "then say what it filters on.\n"
        f"{views}\nValues:\n{values}"
    )


def columns() -> frozenset[str]:
    """Every column that a view has."""
    return frozenset(name for listed in _COLUMNS.values() for name in listed.split(", "))


def build(path: Path, seed: int) -> None:
    """Write one warehouse instance to `path`, replacing a file that is there.

    Every instance has the same schema and values; the seed decides who bought what. A wrong query
    that gives the right rows on one instance by luck is exposed on another.
    """
    path.unlink(missing_ok=True)
    connection = duckdb.connect(str(path))
    try:
        connection.execute(_TABLES)
        for table, rows in _rows(seed).items():
            connection.execute(f"INSERT INTO {table} VALUES {_values(rows)}")
        connection.execute(_VIEW_DDL)
    finally:
        connection.close()


def same_rows(connection: duckdb.DuckDBPyConnection, sql: str, golden: str) -> bool:
    """Whether both queries give the same multiset of rows; a query that fails gives none."""
    try:
        found = connection.execute(sql).fetchall()
    except duckdb.Error:
        return False
    return _multiset(found) == _multiset(connection.execute(golden).fetchall())


def _multiset(rows: Iterable[_Row]) -> Counter[_Row]:
    return Counter(
        tuple(round(cell, 6) if isinstance(cell, float) else cell for cell in row) for row in rows
    )


def _rows(seed: int) -> dict[str, list[_Row]]:
    draw = dice("warehouse", seed)
    customers: list[_Row] = [
        (
            number,
            f"Account {number:03d}",
            f"buyer{number}@example.com",
            draw.choice(VALUES["region"]),
            draw.choice(VALUES["segment"]),
            draw.choice(VALUES["tier"]),
            draw.random() < 0.05,
        )
        for number in range(1, _CUSTOMERS + 1)
    ]
    prices = [draw.randrange(2_000, 40_000) for _ in range(_PRODUCTS)]  # cents
    products: list[_Row] = [
        (
            number,
            f"Item {number:02d}",
            draw.choice(VALUES["category"]),
            draw.choice(VALUES["brand"]),
            _money(price),
            _money(price // 2),
        )
        for number, price in enumerate(prices, start=1)
    ]
    orders: list[_Row] = []
    refunds: list[_Row] = []
    for number in range(1, _ORDERS + 1):
        product = draw.randrange(_PRODUCTS)
        quantity = draw.randrange(1, 9)
        gross = prices[product] * quantity
        discount = draw.randrange(1, gross // 4)
        orders.append(
            (
                number,
                draw.randrange(1, _CUSTOMERS + 1),
                product + 1,
                date(2022, 1, 1) + timedelta(days=draw.randrange(_DAYS)),
                draw.choice(VALUES["channel"]),
                quantity,
                _money(gross),
                _money(discount),
                "paid" if draw.random() < 0.92 else "cancelled",
            )
        )
        if draw.random() < _REFUNDED_SHARE:
            amount = draw.randrange(500, gross - discount)
            reason = draw.choice(VALUES["reason"])
            refunds.append((len(refunds) + 1, number, reason, _money(amount), draw.random() < 0.9))
    return {
        "raw_customers": customers,
        "raw_products": products,
        "raw_orders": orders,
        "raw_refunds": refunds,
    }


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _values(rows: Sequence[_Row]) -> str:
    """Rows as SQL literals: one statement of 2,000 rows is far quicker than 2,000 statements."""
    return ", ".join("(" + ", ".join(_literal(cell) for cell in row) + ")" for row in rows)


def _literal(cell: object) -> str:
    return str(cell) if isinstance(cell, (bool, int)) else f"'{cell}'"
