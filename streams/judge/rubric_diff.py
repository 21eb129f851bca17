"""What a new version of a rubric changes, as text. Pure."""

from collections.abc import Iterator
from difflib import unified_diff
from itertools import islice
from typing import Literal

import yaml
from pydantic import BaseModel

from schemas.records import Record
from streams.judge.rubric import Rubric

_WIDTH = 88


class RubricChange(Record):
    """One part of the rubric: ``what`` is a criterion's id or a field. ``diff`` is unified."""

    what: str
    kind: Literal["added", "removed", "changed"]
    diff: tuple[str, ...]


def rubric_changes(old: Rubric, new: Rubric) -> list[RubricChange]:
    """Every part that is not the same, in the order of the old version; what is new comes last."""
    before = {criterion.id: _lines(criterion) for criterion in old.criteria}
    after = {criterion.id: _lines(criterion) for criterion in new.criteria}
    for name in Rubric.model_fields:
        if name not in ("id", "version", "criteria"):
            before[name], after[name] = (_lines(one, name) for one in (old, new))
    changes = (_change(what, before.get(what), after.get(what)) for what in before | after)
    return [change for change in changes if change is not None]


def _change(what: str, old: list[str] | None, new: list[str] | None) -> RubricChange | None:
    if old == new:
        return None
    kind: Literal["added", "removed", "changed"] = "changed"
    if old is None:
        kind = "added"
    elif new is None:
        kind = "removed"
    return RubricChange(what=what, kind=kind, diff=tuple(_diff(old or [], new or [])))


def _diff(old: list[str], new: list[str]) -> Iterator[str]:
    # the first two lines name files; those with @@ say where in them
    lines = islice(unified_diff(old, new, lineterm="", n=1), 2, None)
    return (line for line in lines if not line.startswith("@@"))


def _lines(part: BaseModel, *names: str) -> list[str]:
    """The part as YAML, which is how its reviewer wrote it."""
    content = part.model_dump(mode="json", include=set(names) or None, exclude_none=True)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return str(text).splitlines()
