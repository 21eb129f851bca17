"""A result as evidence shows it."""

from typing import Final

from streams.verify.sandbox.result import QueryResult

_ROWS: Final = 3
_CHARACTERS: Final = 400


def shown(result: QueryResult) -> str:
    """The first rows, cut to a few hundred characters, and how many there are."""
    more = f" … {len(result.rows)} rows" if len(result.rows) > _ROWS else ""
    return str(list(result.rows[:_ROWS]))[:_CHARACTERS] + more
