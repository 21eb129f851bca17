"""The steps of a JSON check that run in the sandbox, under its clock.

The document is parsed already; but a schema's pattern may backtrack without end on it, and the
schemas ``anyOf`` and ``$ref`` make can take a time exponential in its depth.
"""

from functools import lru_cache
from typing import Any

from streams.verify.json_match import Reference
from streams.verify.json_parse import parse_json
from streams.verify.json_rules import ReferenceUnusable
from streams.verify.json_schema import Schema, SchemaUnusable

_KEPT = 256


def run(request: dict[str, Any]) -> dict[str, Any]:
    """{"text", "schema"} or {"text", "reference", "rules"} to what was found of the text.

    {"unusable"} says why the schema or reference itself cannot be used.
    """
    document = parse_json(request["text"])
    try:
        if "schema" in request:
            violations = _schema(request["schema"]).violations(document)
            return {"violations": [str(violation) for violation in violations]}
        found = _reference(request["reference"], request["rules"]).compare(document)
        return {"fields": found.fields, "right": found.right, "wrong": list(found.wrong)}
    except (SchemaUnusable, ReferenceUnusable) as error:
        return {"unusable": str(error)}


_schema = lru_cache(maxsize=_KEPT)(Schema)
_reference = lru_cache(maxsize=_KEPT)(Reference)
