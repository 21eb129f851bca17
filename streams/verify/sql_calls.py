"""Function calls: by allow-list, and of the allowed ones none that reads the clock or blows up."""

import re
from typing import Final

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_functions import allowed_functions
from streams.verify.sql_nodes import function_names, is_canonical
from streams.verify.sql_rejection import Broken

# A number table or a date spine for decades of hours; more is made to wait, not to answer.
_MAX_SERIES_ROWS: Final = 1_000_000
_MAX_FORMAT_DIGITS: Final = 3
_MAX_PADDING: Final = 1_000

# SQLite reads the clock where one of these meets the text 'now', or has no argument at all.
_SQLITE_DATES: Final = frozenset(
    {"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"}
)
_SQLITE_DATE_NODES: Final = (exp.Date, exp.TsOrDsToTimestamp, exp.TsOrDsToDate, exp.Anonymous)
_CLOCK_WORDS: Final = frozenset({"now", "today", "tomorrow", "yesterday"})


class Calls:
    """Judges the calls of one query, together with its texts where that matters."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._allowed: dict[type[exp.Expr], bool] = _ALLOWED_CLASSES.setdefault(dialect, {})
        self._names = allowed_functions(dialect)
        self._date_call: exp.Expr | None = None
        self._now: exp.Expr | None = None

    def refuse(self, node: exp.Func) -> None:
        """Raise Broken where the call is not allowed. Its arguments are not looked into."""
        kind = type(node)
        allowed = None if isinstance(node, _NAMED) else self._allowed.get(kind)
        if allowed is None:
            names = list(function_names(node))
            allowed = not names or any(name in self._names or is_canonical(name) for name in names)
            if not isinstance(node, _NAMED):
                self._allowed[kind] = allowed
        if not allowed:
            token = node.name if isinstance(node, _NAMED) else node.sql_names()[0].lower()
            raise Broken("function", token, "no function that may be called", at=node)
        if self._dialect == "sqlite":
            self._see_date(node)
        else:
            self._refuse_costly(node)

    def see_text(self, text: str, node: exp.Expr) -> None:
        """Remember a text that SQLite's date functions would take for the clock. Servers do so
        wherever it is compared with a date: there it is refused.
        """
        word = text.strip().lower()
        if self._dialect not in ("sqlite", "duckdb") and word in _CLOCK_WORDS:
            raise _clock(word, node)
        if word == "now":
            self._now = self._now or node

    def refuse_clock(self) -> None:
        """Raise Broken where the query holds both a date function and the text 'now'."""
        if self._date_call is not None and self._now is not None:
            raise _clock("now", self._now)

    def computed_text(self, node: exp.Func, argument: exp.Expr, depends: bool) -> None:
        """Raise Broken where SQLite's date function is given a text computed from constants: it
        could spell the clock. A literal is read, and a column is data.
        """
        if depends or not self._is_sqlite_date(node):
            return
        inner = argument.unnest()
        if isinstance(inner, exp.Literal | exp.Column | exp.Null | exp.Neg):
            return
        if isinstance(inner, exp.Func) and self._is_sqlite_date(inner):
            return
        raise _clock(inner.sql(self._dialect), inner)

    def _see_date(self, node: exp.Func) -> None:
        if not self._is_sqlite_date(node):
            return
        self._date_call = node
        arguments = list(node.iter_expressions())
        if not arguments:
            raise _clock(node.name or node.key, node)
        for argument in arguments:
            if isinstance(argument, exp.Literal) and argument.name.strip().lower() == "localtime":
                raise _clock("localtime", argument)

    def _is_sqlite_date(self, node: exp.Expr) -> bool:
        if self._dialect != "sqlite" or not isinstance(node, _SQLITE_DATE_NODES):
            return False
        return not isinstance(node, exp.Anonymous) or node.name.lower() in _SQLITE_DATES

    def _refuse_costly(self, node: exp.Func) -> None:
        if isinstance(node, exp.GenerateSeries):
            self._refuse_long_series(node)
        elif isinstance(node, (exp.Pad, exp.Repeat)):
            times = node.args.get("times") or node.args.get("expression")
            size = _number(times)
            if times is None or size is None or size > _MAX_PADDING:
                token = times.sql("duckdb") if times is not None else "pad"
                reason = f"a size that is no number up to {_MAX_PADDING}"
                raise Broken("too_many_rows", token, reason, at=times or node)
        elif isinstance(node, (exp.Format, exp.Anonymous)):
            name = node.name.lower() if isinstance(node, exp.Anonymous) else "format"
            if name == "age" and len(node.expressions) < 2:
                raise _clock("age", node)
            if name in ("format", "printf"):
                template = node.this if isinstance(node, exp.Format) else node.expressions[:1]
                self._refuse_wide_format(template if isinstance(template, list) else [template])
            if name == "list_aggregate" and len(node.expressions) > 1:
                named = node.expressions[1]
                if named.name.lower() not in self._names:
                    token = named.name or "list_aggregate"
                    raise Broken("function", token, "no function that may be called", at=node)
        elif isinstance(node, (exp.Cast, exp.TryCast)):
            word = node.this.name.strip().lower() if node.this.is_string else ""
            if word in _CLOCK_WORDS:
                raise _clock(word, node.this)

    def _refuse_long_series(self, node: exp.GenerateSeries) -> None:
        start, end, step = (_number(node.args.get(key)) for key in ("start", "end", "step"))
        if start is None or end is None:
            return  # rows decide how long it is: the sandbox's limits hold
        if abs(end - start) / (abs(step or 1.0)) > _MAX_SERIES_ROWS:
            last = node.args["end"]
            reason = f"a series of over {_MAX_SERIES_ROWS} rows"
            raise Broken("too_many_rows", last.sql("duckdb"), reason, at=last)

    def _refuse_wide_format(self, templates: list[exp.Expr]) -> None:
        for template in templates:
            if template.is_string and re.search(rf"\d{{{_MAX_FORMAT_DIGITS + 1},}}", template.name):
                raise Broken("too_many_rows", template.name, "a field too wide", at=template)


_NAMED: Final = (exp.Anonymous, exp.AnonymousAggFunc)
_ALLOWED_CLASSES: Final[dict[str, dict[type[exp.Expr], bool]]] = {}
"""What was found of sqlglot's function classes, by dialect: it cannot change."""


def _clock(token: str, node: exp.Expr) -> Broken:
    return Broken("non_deterministic", token, "an answer may not depend on the clock", at=node)


def _number(node: exp.Expr | None) -> float | None:
    sign = 1.0
    while isinstance(node, (exp.Paren, exp.Neg)):
        sign = -sign if isinstance(node, exp.Neg) else sign
        node = node.this
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    try:
        return sign * float(node.this)
    except ValueError:
        return None
