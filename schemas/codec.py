"""Events to bytes and back: the Confluent wire format (magic byte 0, 4-byte id, Avro body)."""

import io
import struct
from functools import cached_property
from typing import Any

import fastavro
from pydantic import ValidationError

from schemas.errors import SchemaMismatch
from schemas.events import EVENTS, TOPICS, Event
from schemas.registry import FileRegistry

_HEADER = struct.Struct(">bI")
HEADER_BYTES = _HEADER.size
"""Of the magic byte and the schema's id, before the Avro body."""
_MAGIC = 0


def header(schema_id: int) -> bytes:
    """What stands before a body in this schema."""
    return _HEADER.pack(_MAGIC, schema_id)


class Codec:
    """Encodes and decodes every event type with the schemas of one registry."""

    def __init__(self, registry: FileRegistry | None = None) -> None:
        self._given = registry

    @cached_property
    def registry(self) -> FileRegistry:
        """The registry in use (the schemas shipped with this release, unless one was given)."""
        return self._given or FileRegistry()

    def encode(self, event: Event) -> bytes:
        """The event in the newest schema of its topic.

        Raises ``SchemaMismatch`` where the event does not fit that schema.
        """
        schema = self.registry.latest(TOPICS[type(event)])
        body = io.BytesIO()
        body.write(header(schema.schema_id))
        try:
            # strict: a misspelt or missing field must fail here, not turn into its default
            fastavro.schemaless_writer(
                body, schema.parsed, event.model_dump(mode="python"), strict=True
            )
        except (ValueError, TypeError, OverflowError, UnicodeEncodeError) as error:
            raise SchemaMismatch(
                f"{type(event).__name__} {event.event_id} does not fit {schema.subject} "
                f"v{schema.version}: {error}"
            ) from error
        return body.getvalue()

    def decode(self, value: bytes) -> Event:
        """The event in these bytes; written by any version of its schema.

        Raises ``SchemaMismatch`` where they are no such event.
        """
        if len(value) < _HEADER.size:
            raise SchemaMismatch(
                f"{len(value)} bytes are too few for the 5-byte Confluent header; "
                "produce with the Confluent Avro format"
            )
        magic, schema_id = _HEADER.unpack_from(value)
        if magic != _MAGIC:
            raise SchemaMismatch(
                f"the first byte is {magic & 0xFF:#04x}, not the magic byte 0x00; "
                "produce with the Confluent Avro format"
            )
        writer = self.registry.by_id(schema_id)
        latest = self.registry.latest(writer.topic)
        body = io.BytesIO(value)
        body.seek(_HEADER.size)
        # Resolution costs twice the read, so it is asked for only where it has work to do.
        reader: Any = latest.parsed if latest.schema_id != schema_id else None
        try:
            record = fastavro.schemaless_reader(body, writer.parsed, reader)
        except Exception as error:  # fastavro raises whatever its C code met in the bytes
            raise SchemaMismatch(
                f"the body is no Avro of {writer.subject} v{writer.version} "
                f"({type(error).__name__}: {error}); it may be truncated"
            ) from error
        if trailing := len(value) - body.tell():
            raise SchemaMismatch(f"{trailing} bytes follow the Avro body of {writer.subject}")
        try:
            return EVENTS[writer.topic].model_validate(record)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SchemaMismatch(
                f"{writer.subject} v{writer.version}: {where}: {first['msg']}"
            ) from error
