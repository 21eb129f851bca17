"""The schemas in git: every version of every subject, their fixed ids, and proof of both.

``avsc/<subject>/v<N>.avsc`` is append-only. ``avsc/lock.json`` pins id and hash of each file, so
that an edited or forgotten file is found before a byte is written with it.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro import parse_schema

from schemas.errors import Fatal, SchemaMismatch

_AVSC = Path(__file__).parent / "avsc"

# What Avro tooling itself passes around: JSON, of no fixed shape.
AvroSchema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RegisteredSchema:
    """One version of one subject. ``parsed`` is fastavro's own form of ``schema``."""

    subject: str
    version: int
    schema_id: int
    schema: AvroSchema
    parsed: AvroSchema

    @property
    def topic(self) -> str:
        """The topic whose values this schema describes (subjects are ``<topic>-value``)."""
        return self.subject.removesuffix("-value")


def schema_sha256(schema: AvroSchema) -> str:
    """Hash of the full JSON, keys sorted: Avro's canonical form drops defaults, this must not."""
    canonical = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _parsed(schema: AvroSchema) -> AvroSchema:
    parsed: Any = parse_schema(schema)  # of a record schema: the record, in fastavro's own form
    return dict(parsed)


class FileRegistry:
    """All schemas of a folder, checked against its lock.

    Raises ``Fatal`` where a file differs from its lock, lacks an entry, or is gone.
    """

    def __init__(self, folder: Path = _AVSC) -> None:
        lock_path = folder / "lock.json"
        lock: dict[str, dict[str, dict[str, Any]]] = json.loads(lock_path.read_text())
        found = {
            (path.parent.name, int(path.stem.removeprefix("v"))): path
            for path in folder.glob("*/v*.avsc")
        }
        locked = {
            (subject, int(version)): entry
            for subject, versions in lock.items()
            for version, entry in versions.items()
        }
        for subject, version in sorted(found.keys() ^ locked.keys()):
            side = "lock.json" if (subject, version) in found else "the folder"
            raise Fatal(
                f"{folder}: {subject} v{version} is missing in {side}; schemas are append-only: "
                "restore the file, or add its id and hash to lock.json"
            )
        self._by_id: dict[int, RegisteredSchema] = {}
        self._latest: dict[str, RegisteredSchema] = {}
        for (subject, version), path in sorted(found.items()):
            schema: AvroSchema = json.loads(path.read_text())
            entry = locked[subject, version]
            if schema_sha256(schema) != entry["sha256"]:
                raise Fatal(
                    f"{path} was changed after it was locked; restore it and add a v{version + 1}"
                )
            registered = RegisteredSchema(
                subject=subject,
                version=version,
                schema_id=int(entry["id"]),
                schema=schema,
                parsed=_parsed(schema),
            )
            if registered.schema_id in self._by_id:
                raise Fatal(
                    f"{lock_path}: id {registered.schema_id} stands twice; give each its own"
                )
            self._by_id[registered.schema_id] = registered
            self._latest[subject] = registered

    def by_id(self, schema_id: int) -> RegisteredSchema:
        """The schema of a wire id; raises ``SchemaMismatch`` where there is none."""
        try:
            return self._by_id[schema_id]
        except KeyError:
            raise SchemaMismatch(
                f"schema id {schema_id} is not in this release's registry; "
                "upgrade the consumer, or have the producer use a known schema"
            ) from None

    def latest(self, topic: str) -> RegisteredSchema:
        """The newest schema of a topic's values, the one that is written."""
        return self._latest[f"{topic}-value"]

    def versions(self) -> tuple[RegisteredSchema, ...]:
        """Every version of every subject, by subject and version."""
        return tuple(sorted(self._by_id.values(), key=lambda s: (s.subject, s.version)))
