"""Whatever it is given, the gate answers: it never raises, and every rejection has its place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_gate import GatedSql, Rejection, gate_sql
from streams.verify.sql_render import without_comments

TABLES = {"v": frozenset({"id", "a", "tags"}), "w": frozenset({"id", "b"})}
_TEXT = (
    "SELECT FROM WHERE GROUP BY ORDER HAVING WITH AS UNION ALL JOIN ON USING LATERAL DISTINCT CASE "
    "WHEN THEN ELSE END CAST IN EXISTS NOT AND OR OVER PARTITION FILTER LIMIT VALUES RECURSIVE "
    "id a b tags v w x ( ) ( ) [ ] { } , , . * + - = :: ; 1 42 'text' \"a\" count( max( unnest( "
    "range( date( coalesce( lambda x: -> DECIMAL( STRUCT( INTERVAL DATE 'now' -- /* */ $$ \0 \u200b"
)
WORDS = _TEXT.split(" ")
DIALECTS: st.SearchStrategy[Dialect] = st.sampled_from(["duckdb", "sqlite"])
SOUP = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
QUERIES = st.builds(
    "SELECT {} FROM v {} {}".format,
    st.sampled_from(["id", "a, count(*)", "max(a) OVER ()", "v.*", "(SELECT b FROM w LIMIT 1)"]),
    st.sampled_from(["", "JOIN w USING (id)", "AS v", "WHERE a > '-- no comment'"]),
    SOUP,
)


@given(st.one_of(SOUP, QUERIES, st.text(max_size=80)), DIALECTS)
@settings(max_examples=400, deadline=None)
def test_every_text_gets_an_answer_with_a_place(sql: str, dialect: Dialect) -> None:
    gated = gate_sql(sql, dialect=dialect, tables=TABLES)
    if isinstance(gated, Rejection):
        assert gated.reason
        # there is nothing to point at only where there is no token at all
        assert gated.position is not None or gated.reason == "there is no statement"
        assert gated.position is None or 0 <= gated.position <= max(len(sql), 8192)


@given(QUERIES, DIALECTS)
@settings(max_examples=300, deadline=None)
def test_a_query_is_the_same_query_without_its_comments(sql: str, dialect: Dialect) -> None:
    gated = gate_sql(sql, dialect=dialect, tables=TABLES)
    if isinstance(gated, GatedSql):
        bare = gate_sql(without_comments(sql, dialect), dialect=dialect, tables=TABLES)
        assert isinstance(bare, GatedSql)
        assert bare.tree == gated.tree
