"""FULL_TRANSITIVE compatibility: every version reads every other version's data."""

import json
from collections.abc import Iterable
from itertools import permutations
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas.registry import RegisteredSchema


def incompatibilities(versions: Iterable[RegisteredSchema]) -> list[str]:
    """One sentence for each ordered pair of versions of a subject where the reader fails.

    Avro specification, "Schema Resolution"; the verdict is Apache avro's own checker's.
    """
    by_subject: dict[str, list[RegisteredSchema]] = {}
    for version in versions:
        by_subject.setdefault(version.subject, []).append(version)
    problems = []
    for subject, schemas in by_subject.items():
        for reader, writer in permutations(schemas, 2):
            checker: Any = ReaderWriterCompatibilityChecker  # avro ships no type hints
            result = checker().get_compatibility(
                parse(json.dumps(reader.schema)), parse(json.dumps(writer.schema))
            )
            if result.compatibility is not SchemaCompatibilityType.compatible:
                problems.append(
                    f"{subject}: v{reader.version} cannot read v{writer.version}: "
                    + "; ".join(sorted(result.messages))
                )
    return problems
