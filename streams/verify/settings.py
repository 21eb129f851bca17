"""The ``verify`` section of pipeline.yaml."""

from typing import Literal

from pydantic import Field, JsonValue, model_validator
from sqlglot.dialects.dialect import Dialect as Dialects

from schemas.records import Record
from streams.verify.sandbox.database import Dialect
from streams.verify.text_settings import TextRule

SoftCheck = Literal[
    "answer_present",
    "sql_result_match",
    "sql_instances",
    "json_match",
    "number_match",
    "unit_tests",
]

MatchSemantics = Literal["result_match", "spider_exec", "spider_exec_keep_distinct", "bird_set"]


class DatabaseSettings(Record):
    """A database that answers may query: a file, or a Postgres replica.

    ``path`` is the file's, relative to the project directory. ``dsn_env`` names the environment
    variable that holds a replica's connection string, which is a secret and stands in no file;
    ``postgres_schema`` is the one schema that is read there. ``views`` are names or ``*`` patterns
    of the tables and views that may be read; None allows every one of the file, or every one that
    the replica's role may read.
    """

    name: str = Field(min_length=1)
    path: str = ""
    dialect: Dialect
    views: tuple[str, ...] | None = None
    dsn_env: str | None = None
    postgres_schema: str = "public"
    driver: str | None = None
    """A module with ``connect`` as of PEP 249 (``snowflake.connector``, ``pymysql``,
    ``adbc_driver_snowflake.dbapi``); ``dsn_env`` then holds what it takes, a text or a JSON object
    of named arguments. Give its role SELECT on the views and nothing else."""
    session: tuple[str, ...] = ()
    """Statements run once a connection: a read-only session, a statement timeout."""
    columns_query: str = "SELECT table_name, column_name FROM information_schema.columns"
    """For a driver: rows of (table, column) that may be read."""
    state_query: str = ""
    """For a driver: what changes whenever the data do, so that golden queries are run again."""

    @property
    def is_replica(self) -> bool:
        """Whether it is a server, and no file."""
        return self.dsn_env is not None

    @model_validator(mode="after")
    def _has_a_place(self) -> "DatabaseSettings":
        is_server = self.dialect == "postgres" or self.driver is not None
        if is_server and (self.path or not self.dsn_env):
            raise ValueError(
                f"database {self.name}: for {self.driver or 'postgres'} give dsn_env, the name of "
                "the environment variable with the connection string, and no path"
            )
        if not is_server and (self.dsn_env or not self.path):
            raise ValueError(f"database {self.name}: for {self.dialect} give path, and no dsn_env")
        known = Dialects.classes if self.driver else {"duckdb", "sqlite", "postgres"}
        if self.dialect not in known:
            raise ValueError(
                f"database {self.name}: dialect {self.dialect!r} is none of "
                f"{', '.join(sorted(name for name in known if name))}"
                + ("" if self.driver else "; for another warehouse name its driver too")
            )
        return self


Disagreement = Literal["undecided", "fail"]

_DEFAULT_COPIES = 3


class InstanceSettings(Record):
    """Fuzzed copies of the database on which a matching answer must match too.

    ``disagreement`` says what an answer is that does not: undecided, so that a judge sees it, or
    failed.
    """

    copies: int = Field(default=_DEFAULT_COPIES, ge=0, le=32)
    disagreement: Disagreement = "undecided"


class VerifySettings(Record):
    """What is checked, on which databases, and what counts as the same result."""

    databases: tuple[DatabaseSettings, ...] = ()
    sqlite_root: str | None = None
    """A folder of ``NAME/NAME.sqlite`` files, each a database of that name with all its tables."""

    match: MatchSemantics = "result_match"
    instances: InstanceSettings | None = None
    """Three copies where not given, and none under the official evaluators' semantics, which judge
    on one database."""

    relative_tolerance: float = Field(default=1e-6, ge=0, lt=0.1)
    absolute_tolerance: float = Field(default=1e-9, ge=0)
    any_column_order: bool = True
    """`result_match` takes gold's columns in any order, with any names."""
    row_order: bool = True
    """`result_match` wants gold's row order where gold's top level orders."""
    duplicates: bool = True
    """`result_match` counts equal rows; without it sets of rows are compared, in no order."""
    row_count_tolerance: float = Field(default=0.001, ge=0, lt=1)
    """Share of gold's row count by which `sql_row_count` lets an answer differ."""
    require_sql: bool = False
    """Every answer must be SQL that runs, also where the prompt has no golden query."""
    soft: tuple[SoftCheck, ...] = ()
    """Checks whose failure is recorded without deciding the outcome."""

    text: tuple[TextRule, ...] = ()
    """Checks of every answer's text, each a rule with a name; see docs/verifiers.md."""

    plugins: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    """Verifiers of installed packages by entry point name, with their options."""

    wall_limit_s: float = Field(default=3.0, gt=0, le=600)
    children: int | None = Field(default=None, ge=1)
    """Child processes that run queries; one per core where not given."""
    plugin_limit_s: float = Field(default=30.0, gt=0, le=600)
    """Then a plug-in's check is an ERROR. It is not stopped: its code is the project's own."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> "VerifySettings":
        names = [database.name for database in self.databases]
        if len(set(names)) != len(names):
            raise ValueError(f"two databases have one name: {sorted(names)}")
        rules = [rule.name for rule in self.text]
        if len(set(rules)) != len(rules):
            raise ValueError(f"two text rules have one name: {sorted(rules)}")
        return self

    @property
    def copies(self) -> int:
        """How many fuzzed copies are made for a golden query."""
        if self.instances is not None:
            return self.instances.copies
        return _DEFAULT_COPIES if self.match == "result_match" else 0

    def deciding(self) -> str:
        """The settings that can change a verdict, as JSON: no places, no time-outs."""
        places = {"sqlite_root", "wall_limit_s", "children", "plugin_limit_s"}
        return self.model_dump_json(
            exclude={
                "databases": {"__all__": {"path", "dsn_env", "session", "driver"}},
                **dict.fromkeys(places, True),
            }
        )
