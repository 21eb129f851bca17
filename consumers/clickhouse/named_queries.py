"""The named queries in ``queries/``: SQL with a title and parameters in its first lines.

    -- title: Why were events discarded?
    -- param: workload String = '' (only this workload; empty for all)

Everything between them and the statement is a comment.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_FOLDER = Path(__file__).parent / "queries"
_TITLE = re.compile(r"^-- title: (.+)$", re.MULTILINE)
_PARAMETER = re.compile(r"^-- param: (\w+) (\w+) = '?([^'\n]*?)'? \((.+)\)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value that the query takes, bound by ClickHouse as ``{name:type}``."""

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class NamedQuery:
    """One file of ``queries/``."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    sql: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a query found; no columns where it found no rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def named_queries() -> dict[str, NamedQuery]:
    """All of them by name."""
    return {path.stem: _parsed(path) for path in sorted(_FOLDER.glob("*.sql"))}


def named_query(name: str) -> NamedQuery:
    """The query of this name; raises ``ConfigError`` with the nearest one where there is none."""
    known = named_queries()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"do you mean {near[0]}?" if near else "`prefstream query --list` shows them"
        raise ConfigError(f"there is no query named {name}; {hint}")
    return known[name]


def ask(client: "Client", query: NamedQuery, values: Mapping[str, str]) -> Answer:
    """Run the query with these values for its parameters, defaults for the others.

    Raises ``ConfigError`` for a parameter that the query does not have, or a value that does not
    fit.
    """
    from clickhouse_connect.driver.exceptions import DatabaseError

    known = {parameter.name for parameter in query.parameters}
    for name in values.keys() - known:
        shown = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"query {query.name} has no parameter {name} (it has: {shown})")
    bound = {parameter.name: parameter.default for parameter in query.parameters} | dict(values)
    try:
        result = client.query(query.sql, parameters=bound)
    except DatabaseError as error:
        raise ConfigError(f"query {query.name} failed: {str(error)[:500]}") from error
    return Answer(columns=tuple(result.column_names), rows=tuple(result.result_rows))


def _parsed(path: Path) -> NamedQuery:
    text = path.read_text()
    title = _TITLE.search(text)
    if title is None:
        raise ConfigError(f"{path.name} has no line '-- title: …'; add one at its top")
    return NamedQuery(
        name=path.stem,
        title=title[1],
        parameters=tuple(
            Parameter(name=m[1], type=m[2], default=m[3], meaning=m[4])
            for m in _PARAMETER.finditer(text)
        ),
        sql="\n".join(line for line in text.splitlines() if not line.startswith("--")),
    )
