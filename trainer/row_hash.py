"""The hash of rows: SHA-256 over the SHA-256 of each row's Avro body, in order.

A row read from the log has its body already, so nothing is encoded again to hash it; and a manifest
names the schema of its bodies, so that fields that a later schema adds change no hash.
"""

import hashlib
import io
from collections.abc import Iterable
from functools import cache

import fastavro

from schemas.events import TOPICS, Event, Preference
from schemas.registry import FileRegistry, RegisteredSchema


def row_schema(schema_id: int) -> RegisteredSchema:
    """The schema that a manifest names.

    Raises ``SchemaMismatch`` where this release does not know it.
    """
    return _registry().by_id(schema_id)


def newest_schema(event: type[Event] = Preference) -> RegisteredSchema:
    """What is frozen now is hashed in this one."""
    return _registry().latest(TOPICS[event])


def row_body(row: Event, schema: RegisteredSchema) -> bytes:
    """The row in Avro, without a header; fields that the schema does not have are left out."""
    record, out = row.model_dump(), io.BytesIO()
    known = {field["name"]: record[field["name"]] for field in schema.parsed["fields"]}
    fastavro.schemaless_writer(out, schema.parsed, known, strict=True)
    return out.getvalue()


def row_digest(row: Event, schema: RegisteredSchema) -> bytes:
    """SHA-256 of its body."""
    return hashlib.sha256(row_body(row, schema)).digest()


def digests_sha256(digests: Iterable[bytes]) -> str:
    """The hash of rows that have these digests, in this order."""
    whole = hashlib.sha256()
    for digest in digests:
        whole.update(digest)
    return whole.hexdigest()


def row_sha256(rows: Iterable[Event], schema: RegisteredSchema) -> str:
    """The hash of rows in this order."""
    return digests_sha256(row_digest(row, schema) for row in rows)


@cache
def _registry() -> FileRegistry:
    """One for the process: it reads every schema file."""
    return FileRegistry()
