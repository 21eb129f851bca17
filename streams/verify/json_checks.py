"""The checks of an answer that is JSON: found and strict, valid by schema, equal to a reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.records import CheckStatus, Expectation
from streams.verify import json_match, json_schema
from streams.verify.check import CandidateCheck, Finding, Subject
from streams.verify.extracted import extract_json
from streams.verify.json_parse import JsonInvalid, parse_json
from streams.verify.sandbox.result import Json
from streams.verify.task_pools import TaskPools, task_failed

TASK = "json"

_PARAMS = frozenset({"reference", "rules"})


@dataclass(frozen=True, kw_only=True)
class JsonParse:
    """The answer holds one JSON document, strictly read."""

    hard: bool = True
    name: str = "json_parse"
    version: str = "1"

    async def __call__(self, subject: Subject) -> Finding:
        found = extract_json(subject.output)
        if found is None:
            return Finding(status=CheckStatus.FAIL, evidence="no JSON in the answer")
        rule = f"{found.rule}, {found.blocks} fenced blocks"
        try:
            parse_json(found.text)
        except JsonInvalid as error:
            return Finding(status=CheckStatus.FAIL, evidence=f"{error} ({rule})")
        return Finding(
            status=CheckStatus.PASS,
            evidence=rule,
            subject=replace(subject, json_text=found.text),
        )


@dataclass(frozen=True, kw_only=True)
class JsonSchema:
    """The document is valid by the schema (2020-12, formats checked, nothing fetched)."""

    pools: TaskPools
    schema: str
    hard: bool = True
    name: str = "json_schema"
    version: str = json_schema.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        found = await _ask(self.pools, subject, {"schema": self.schema})
        if isinstance(found, Finding):
            return found
        violations = found["violations"]
        if isinstance(violations, list) and not violations:
            return Finding(status=CheckStatus.PASS)
        return Finding(status=CheckStatus.FAIL, evidence=_lines(violations))


@dataclass(frozen=True, kw_only=True)
class JsonMatch:
    """The document's fields are the reference's; the score is the share that is right."""

    pools: TaskPools
    reference: str
    rules: str
    hard: bool = True
    name: str = "json_match"
    version: str = json_match.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        request: dict[str, Json] = {"reference": self.reference, "rules": self.rules}
        found = await _ask(self.pools, subject, request)
        if isinstance(found, Finding):
            return found
        fields, right = found["fields"], found["right"]
        if not (isinstance(fields, int) and isinstance(right, int) and 0 <= right <= fields):
            return Finding(status=CheckStatus.ERROR, evidence="garbage: not counts of fields")
        return Finding(
            status=CheckStatus.PASS if right == fields else CheckStatus.FAIL,
            score=right / fields if fields else 1.0,
            evidence=f"{right} of {fields} fields\n{_lines(found['wrong'])}".strip(),
        )


@dataclass(frozen=True, kw_only=True)
class JsonMisconfigured:
    """Stands for an expectation whose parameters cannot be used."""

    reason: str
    hard: bool = True
    name: str = "json_schema"
    version: str = json_schema.VERSION

    async def __call__(self, _: Subject) -> Finding:
        return Finding(status=CheckStatus.ERROR, evidence=self.reason)


def json_checks(
    expectations: Sequence[Expectation], pools: TaskPools, *, match_is_hard: bool
) -> Iterator[CandidateCheck]:
    """The checks for expectations of kind JSON_SCHEMA: ``spec`` is the schema, ``reference`` and
    ``rules`` among the params say what the document is compared with, and how."""
    if expectations:
        yield JsonParse()
    for expectation in expectations:
        params = expectation.params
        unknown = sorted(params.keys() - _PARAMS)
        if unknown or ("rules" in params and "reference" not in params):
            what = f"unknown parameters {unknown}" if unknown else "rules without a reference"
            yield JsonMisconfigured(reason=f"{what}; JSON_SCHEMA takes {sorted(_PARAMS)}")
            continue
        yield JsonSchema(pools=pools, schema=expectation.spec)
        if "reference" in params:
            yield JsonMatch(
                pools=pools,
                reference=params["reference"],
                rules=params.get("rules", "{}"),
                hard=match_is_hard,
            )


async def _ask(
    pools: TaskPools, subject: Subject, request: Mapping[str, Json]
) -> dict[str, Json] | Finding:
    assert subject.json_text is not None
    result = await pools.call(TASK, {"text": subject.json_text, **request})
    if result.error is not None:
        return task_failed(result.error)
    if not isinstance(result.value, dict):
        return Finding(status=CheckStatus.ERROR, evidence="garbage: no object")
    if "unusable" in result.value:
        what = "schema" if "schema" in request else "reference"
        evidence = f"the {what} of the expectation cannot be used: {result.value['unusable']}"
        return Finding(status=CheckStatus.ERROR, evidence=evidence)
    return result.value


def _lines(found: Json) -> str:
    return "\n".join(str(line) for line in found) if isinstance(found, list) else str(found)
