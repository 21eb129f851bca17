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


class RowHash:
    """The hash of the rows whose bodies it was given so far, in that order."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()

    def add(self, bodies: Iterable[bytes]) -> None:
        """The bodies of the next rows."""
        self._whole.update(b"".join(hashlib.sha256(body).digest() for body in bodies))

    def hexdigest(self) -> str:
        """As a manifest has it."""
        return self._whole.hexdigest()


def row_sha256(rows: Iterable[Event], schema: RegisteredSchema) -> str:
    """The hash of rows in this order."""
    rows_hash = RowHash()
    for row in rows:
        rows_hash.add([row_body(row, schema)])
    return rows_hash.hexdigest()


@cache
def _registry() -> FileRegistry:
    """One for the process: it reads every schema file."""
    return FileRegistry()
