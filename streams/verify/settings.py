"""The ``verify`` section of pipeline.yaml."""

from typing import Literal

from pydantic import Field, model_validator

from schemas.records import Record
from streams.verify.sandbox.database import Dialect

SoftCheck = Literal["answer_present", "sql_result_match"]

MatchSemantics = Literal["result_match", "spider_exec", "spider_exec_keep_distinct", "bird_set"]


class DatabaseSettings(Record):
    """A database file that answers may query.

    ``path`` is relative to the project directory. ``views`` are names or ``*`` patterns of the
    tables and views that may be read; None allows every one of the file.
    """

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    dialect: Dialect
    views: tuple[str, ...] | None = None


class VerifySettings(Record):
    """What is checked, on which databases, and what counts as the same result."""

    databases: tuple[DatabaseSettings, ...] = ()
    sqlite_root: str | None = None
    """A folder of ``NAME/NAME.sqlite`` files, each a database of that name with all its tables."""

    match: MatchSemantics = "result_match"
    relative_tolerance: float = Field(default=1e-6, ge=0, lt=0.1)
    absolute_tolerance: float = Field(default=1e-9, ge=0)
    require_sql: bool = False
    """Every answer must be SQL that runs, also where the prompt has no golden query."""
    soft: tuple[SoftCheck, ...] = ()
    """Checks whose failure is recorded without deciding the outcome."""

    wall_limit_s: float = Field(default=3.0, gt=0, le=600)
    children: int | None = Field(default=None, ge=1)
    """Child processes that run queries; one per core where not given."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> "VerifySettings":
        names = [database.name for database in self.databases]
        if len(set(names)) != len(names):
            raise ValueError(f"two databases have one name: {sorted(names)}")
        return self

    def deciding(self) -> str:
        """The settings that can change a verdict, as JSON: no places, no time-outs."""
        places = {"sqlite_root", "wall_limit_s", "children"}
        return self.model_dump_json(
            exclude={"databases": {"__all__": {"path"}}, **dict.fromkeys(places, True)}
        )
