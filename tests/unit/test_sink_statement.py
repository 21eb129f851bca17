"""What the front of the embedded engine runs."""

import pytest

from consumers.clickhouse.statement import output_format, refusal


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  (SELECT 1) UNION ALL (SELECT 2)",
        "-- a comment\nWITH 1 AS x SELECT x",
        "/* INTO OUTFILE */ SELECT 'into outfile', 'file(''x'')'",
        "SHOW TABLES",
        "DESCRIBE TABLE completions",
        "SELECT profile, file_name FROM t",
        "SELECT 1\n FORMAT Native",
    ],
)
def test_reads_are_run(sql: str) -> None:
    assert refusal(sql) is None


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DROP TABLE completions",
        "INSERT INTO t VALUES (1)",
        "SET readonly = 0",
        "KILL QUERY WHERE 1",
        "SYSTEM SHUTDOWN",
        "SELECT 1 INTO OUTFILE 'x'",
        "SELECT 1 INTO /* */ outFile 'x'",
        "SELECT file('/etc/passwd')",
        "SELECT \"file\"('/etc/passwd')",
        "SELECT `file` ('/etc/passwd')",
        "SELECT 'it''s', FILE ('x')",
    ],
)
def test_everything_else_is_refused_with_a_reason(sql: str) -> None:
    assert refusal(sql)


def test_the_format_is_the_one_asked_for_last() -> None:
    assert output_format("SELECT 1 FORMAT JSON;", "TSV") == "JSON"
    assert output_format("SELECT 1\n format Native", "TSV") == "Native"
    assert output_format("SELECT 'FORMAT JSON' AS x", "TSV") == "TSV"
