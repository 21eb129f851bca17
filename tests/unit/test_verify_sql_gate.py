"""What the gate says, and where it points."""

import pytest

from streams.verify.extracted import extract_sql
from streams.verify.sandbox.database import Dialect
from streams.verify.sql_gate import GatedSql, Rejection, gate_sql

TABLES = {"v_sales": frozenset({"id", "user"}), "v_days": frozenset({"day"})}


def rejection(sql: str, dialect: Dialect = "duckdb") -> Rejection:
    gated = gate_sql(sql, dialect=dialect, tables=TABLES)
    assert isinstance(gated, Rejection), sql
    return gated


@pytest.mark.parametrize(
    ("sql", "rule", "token", "position"),
    [
        ("SELECT id FROM sales", "table", "sales", 15),
        ("SELECT id FROM other.v_sales", "table", "other.v_sales", 21),
        ("SELECT id, getenv('x') FROM v_sales", "function", "getenv", 11),
        ("SELECT id FROM read_csv('x')", "table_function", "", None),
        ("SELECT 1; SELECT 2", "one_statement", "SELECT", 10),
        ("DROP TABLE v_sales", "only_queries", "DROP", 0),
        ("WITH v_days AS (SELECT 1) SELECT * FROM v_days", "cte_shadows_table", "v_days", 5),
        ("SELECT id FROM v_sales USING SAMPLE 3", "syntax", "TABLESAMPLE", None),
        ("SELECT current_database FROM v_sales", "session_value", "current_database", 7),
        ("SELECT CAST('now' AS DATE)", "non_deterministic", "now", 12),
        ("SELECT " + "(" * 50 + "1", "too_deep", "(", 39),
        ("SELECT '" + "x" * 9000, "too_long", "9008 bytes", 8192),
        ("SELECT \0", "not_text", "'\\x00'", 7),
        ("SELEC id", "only_queries", "SELEC", 0),
        ("SELECT id FROM v_sales WHERE (id = 1", "unparsable", "1", 35),
        ("SELECT id FROM v_sales WHERE 'x", "unparsable", "'x", 29),
        ("SELECT nope FROM v_sales", "column", "nope", 7),
        ("SELECT day FROM v_sales", "column", "day", 7),
        ("SELECT v_days.id FROM v_sales, v_days", "column", "v_days.id", 7),
        ("SELECT id FROM v_days AS v_sales", "alias_shadows_table", "v_sales", 25),
        ("SELECT 42 FROM v_sales", "constant_answer", "SELECT 42 FROM v_sales", 7),
        ("SELECT id FROM v_sales, range(99999999)", "too_many_rows", "99999999", 30),
        ("SELECT id AS v_\u200bx FROM v_sales", "not_text", "U+200B", 13),
    ],
)
def test_a_rejection_names_rule_token_and_place(
    sql: str, rule: str, token: str, position: int | None
) -> None:
    found = rejection(sql)
    assert found.rule == rule
    if token:
        assert found.token == token
    if position is not None:
        assert found.position == position
        assert f"at character {position}" in str(found)


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_a_parser_that_goes_round_in_circles_is_stopped(dialect: Dialect) -> None:
    nested = "DECIMAL(" * 30 + "1" + ")" * 30
    assert rejection(f"SELECT CAST(id AS {nested}) FROM v_sales", dialect).rule == "too_deep"


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
@pytest.mark.parametrize("word", ["NOT ", "- ", "+ ", "CASE ", "@", "* EXCLUDE "])
def test_a_chain_as_long_as_a_text_may_be_does_not_end_the_worker(
    word: str, dialect: Dialect
) -> None:
    # the parser is compiled: where it recursed without a count, it would take the process with it
    chain = word * (8_000 // len(word))
    assert rejection(f"SELECT {chain}id FROM v_sales", dialect).rule in ("too_deep", "unparsable")


def test_a_column_may_have_a_session_words_name() -> None:
    assert isinstance(
        gate_sql("SELECT user FROM v_sales", dialect="duckdb", tables=TABLES), GatedSql
    )


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT id AS x FROM v_sales), b AS (SELECT x FROM a) SELECT * FROM b",
        "WITH RECURSIVE a AS (SELECT id AS x FROM v_sales UNION ALL SELECT x + 1 FROM a) "
        "SELECT * FROM a",
        "SELECT * FROM (WITH a AS (SELECT id FROM v_sales) SELECT * FROM a) AS t",
        "WITH a AS (SELECT 1 AS x) SELECT id + (SELECT max(x) FROM a) FROM v_sales",
    ],
)
def test_a_name_in_scope_is_no_table(sql: str) -> None:
    gated = gate_sql(sql, dialect="duckdb", tables=TABLES)
    assert isinstance(gated, GatedSql), gated


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "WITH a AS (SELECT * FROM a) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT x FROM a UNION ALL SELECT x FROM a) SELECT * FROM a",
        "SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) AS t, a",
        "WITH a AS (SELECT 1) SELECT * FROM main.a",
    ],
)
def test_a_name_out_of_scope_is_a_table(sql: str) -> None:
    assert rejection(sql).rule == "table"


@pytest.mark.parametrize(
    ("answer", "sql", "rule"),
    [
        ("SELECT 1", "SELECT 1", "whole_text"),
        ("Here:\n```sql\nSELECT 1\n```\nIt filters nothing.", "SELECT 1", "sql_fence"),
        ("```\nSELECT 1\n```", "SELECT 1", "plain_fence"),
        (
            "```python\nx\n```\n```SQL\nSELECT 1\n```\n```sql\nSELECT 2\n```",
            "SELECT 1",
            "sql_fence",
        ),
        ("~~~duckdb title\nSELECT 1\n~~~", "SELECT 1", "sql_fence"),
        ("```sql\nSELECT 1", "SELECT 1", "sql_fence"),
        ("````sql\nSELECT '\n```\n'\n````", "SELECT '\n```\n'", "sql_fence"),
    ],
)
def test_sql_is_found_by_rule(answer: str, sql: str, rule: str) -> None:
    found = extract_sql(answer)
    assert found is not None
    assert (found.text, found.rule) == (sql, rule)


def test_an_empty_fence_holds_no_sql() -> None:
    assert extract_sql("```sql\n\n```") is None
