"""A small warehouse in both engines: two views that may be read, and what may not."""

import sqlite3
from pathlib import Path

import duckdb

ALLOWED = ("v_revenue_*",)
SECRET = "the-base-secret-5f1d"

_COMMON = (
    "CREATE TABLE secret (word VARCHAR)",
    f"INSERT INTO secret VALUES ('{SECRET}')",
    "CREATE TABLE revenue (id INTEGER, region VARCHAR, product VARCHAR, amount DOUBLE, "
    "units INTEGER, sold_on DATE, note VARCHAR)",
    "CREATE TABLE customers (customer_id INTEGER, name VARCHAR, region VARCHAR, joined_on DATE)",
    "INSERT INTO revenue SELECT n, CASE n % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'south' ELSE 'Öst' "
    "END, 'p' || (n % 5), n * 1.5, n % 7, '2024-0' || (1 + n % 6) || '-15', "
    "CASE WHEN n % 4 = 0 THEN NULL ELSE 'note ' || n END FROM "
    "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 60) "
    "SELECT n FROM r)",
    "INSERT INTO customers VALUES (1, 'Ann', 'north', '2023-01-02'), "
    "(2, 'Bo', 'south', '2023-05-06'), (3, 'Çelik', 'Öst', '2024-02-29')",
    "CREATE VIEW v_revenue_daily AS SELECT * FROM revenue",
)


def build(folder: Path) -> None:
    """Write ``shop.duckdb`` and ``shop.sqlite``."""
    view = "CREATE VIEW v_revenue_customers AS SELECT *"
    with duckdb.connect(str(folder / "shop.duckdb")) as warehouse:
        for statement in _COMMON:
            warehouse.execute(statement)
        extra = "[name, region] AS tags, {'city': region, 'zip': customer_id} AS address"
        warehouse.execute(f"{view}, {extra} FROM customers")
    with sqlite3.connect(folder / "shop.sqlite") as file:
        for statement in _COMMON:
            file.execute(statement)
        file.execute(f"{view} FROM customers")
