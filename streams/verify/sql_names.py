"""Column references: which column a name means in a scope, by the rules of each engine."""

from typing import Final

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_calls import Calls
from streams.verify.sql_rejection import Broken
from streams.verify.sql_scope import Scope, column_of

# Words that engines answer from the session where no column has their name.
_SESSION_WORDS: Final = frozenset(
    {"user", "current_user", "session_user", "current_role", "current_catalog", "current_schema"}
    | {"current_database", "current_query", "current_date", "current_time", "current_timestamp"}
    | {"localtime", "localtimestamp"}
)
_PARTS: Final = ("catalog", "db", "table", "this")


def fold(name: str) -> str:
    """The name as engines compare it: lower case, and no letter outside ASCII becomes one of it."""
    lower = name.lower()
    return lower if name.isascii() or not lower.isascii() else name


class Names:
    """Resolves the column references of one query."""

    def __init__(self, sql: str, dialect: Dialect, calls: Calls) -> None:
        self._sql = sql
        self._dialect = dialect
        self._calls = calls

    def column(self, node: exp.Expr, scope: Scope) -> bool:
        """Whether the column depends; raises Broken where there is none of that name."""
        args = node.args
        this = args["this"]
        if isinstance(this, exp.Identifier) and args.get("table") is None:
            return self.bare(this, scope)
        parts = [args[key] for key in _PARTS if args.get(key) is not None]
        if isinstance(this, exp.Star):
            relations = scope.named(fold(node.text("table")))
            if len(parts) != 2 or not relations or any(this.args.values()):
                raise Broken("column", node.sql(), "no table of this name is in scope", at=node)
            return any(relation.rows for relation in relations)
        found = self._qualified([fold(part.name) for part in parts], this, scope)
        if found is None:
            token = ".".join(part.name for part in parts)
            raise Broken("column", token, "no column of this name", at=parts[0])
        return found

    def bare(self, identifier: exp.Identifier, scope: Scope) -> bool:
        """The same for a name alone."""
        name, quoted = fold(identifier.this), bool(identifier.args.get("quoted"))
        found = scope.column(name, dialect=self._dialect, quoted=quoted)
        if found is not None:
            return found
        if self._dialect == "sqlite" and quoted and self._is_double_quoted(identifier):
            # SQLite takes a name in double quotes that is no column's for a text
            self._calls.see_text(identifier.this, identifier)
            return False
        if name in _SESSION_WORDS:
            reason = "an answer may not depend on who asks"
            raise Broken("session_value", identifier.this, reason, at=identifier)
        raise Broken("column", identifier.this, "no column of this name", at=identifier)

    def _qualified(self, names: list[str], last: exp.Expr, scope: Scope) -> bool | None:
        quoted = bool(last.args.get("quoted"))
        if len(names) > 2 and names[0] == "main":
            found = self._of_relation(names[1], names[2], scope, quoted=quoted)
            if found is not None and (len(names) == 3 or self._dialect != "sqlite"):
                return found
        if len(names) == 2 or self._dialect != "sqlite":
            found = self._of_relation(names[0], names[1], scope, quoted=quoted)
            if found is not None:
                return found
        if self._dialect != "sqlite":  # a field of a struct
            return scope.column(names[0], dialect=self._dialect, quoted=False, whole_rows=False)
        return None

    def _of_relation(self, table: str, name: str, scope: Scope, *, quoted: bool) -> bool | None:
        if scope.takes_qualifiers and scope.aliases is not None and name in scope.aliases:
            return scope.aliases[name]
        relations = scope.named(table)
        if not relations:
            return None
        return column_of(relations, name, dialect=self._dialect, quoted=quoted)

    def _is_double_quoted(self, identifier: exp.Identifier) -> bool:
        start = identifier.meta.get("start")
        return start is None or self._sql[start : start + 1] == '"'
