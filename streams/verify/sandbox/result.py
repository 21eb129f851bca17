"""What a query gave, and why it gave nothing. Imported by the child: standard library only."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, Union
from uuid import UUID

_Scalar: TypeAlias = (
    bool | int | float | str | bytes | Decimal | date | datetime | time | timedelta | UUID | None
)
Value: TypeAlias = Union[_Scalar, "tuple[Value, ...]"]
"""One field of a result. A list is a tuple; a struct or map is a tuple of (key, value) pairs."""

Row: TypeAlias = tuple[Value, ...]


class QueryErrorKind(StrEnum):
    """Whose fault it is that a query gave no result."""

    REJECTED = "rejected"
    """The engine's own parser sees something that may not run."""
    SQL = "sql"
    """The engine refused the query or failed in it."""
    TASK = "task"
    """A task other than SQL raised."""
    TIMEOUT = "timeout"
    """The wall or CPU limit ended it."""
    TOO_LARGE = "too_large"
    """The result, or the memory it needed, is over the limit."""
    CRASH = "crash"
    """The child died of it, twice."""
    GARBAGE = "garbage"
    """The child sent something that is no answer."""
    DATABASE = "database"
    """The database cannot be opened: nothing the query could help."""


@dataclass(frozen=True, kw_only=True)
class QueryError:
    """Why there is no result; ``message`` is the engine's own words where it had any."""

    kind: QueryErrorKind
    message: str

    @property
    def is_the_querys(self) -> bool:
        """Whether the query itself is to blame, and not what it ran in."""
        return self.kind not in (QueryErrorKind.DATABASE, QueryErrorKind.GARBAGE)


@dataclass(frozen=True, kw_only=True)
class QueryResult:
    """Rows of one query, or the error that stands in their place.

    ``truncated`` says that more rows exist than the limit let through. ``state`` names what the
    query saw of a database that changes: equal where two queries saw the same; "" of a file.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    truncated: bool = False
    duration_ms: float = 0.0
    peak_kib: int | None = None
    """Memory of the child at most while it ran the query, where the kernel tells."""
    state: str = ""
    error: QueryError | None = None


Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What a task other than SQL returned, or the error that stands in its place.

    The child is not trusted: ``value`` is any JSON, finite, of any shape. ``duration_ms`` is as the
    child measured it.
    """

    value: Json = None
    duration_ms: float = 0.0
    error: QueryError | None = None
