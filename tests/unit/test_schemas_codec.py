import io
import json
import shutil
from pathlib import Path

import fastavro
import pytest
from confluent_kafka.schema_registry import (
    Schema,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import schemas.registry
from schemas.codec import Codec
from schemas.errors import SchemaMismatch
from schemas.events import TOPICS, Completion, Event
from schemas.registry import FileRegistry, schema_sha256
from tests.events import completion, judgment

AVSC = Path(schemas.registry.__file__).parent / "avsc"


def confluent_client(registry: FileRegistry) -> SchemaRegistryClient:
    """Confluent's own in-memory registry, holding our schemas under our ids."""
    client = SchemaRegistryClient.new_client({"url": "mock://prefstream"})
    for schema in sorted(registry.versions(), key=lambda s: s.schema_id):
        given = client.register_schema(schema.subject, Schema(json.dumps(schema.schema), "AVRO"))
        assert given == schema.schema_id  # it counts up from 1, as the lock file does
    return client


@pytest.mark.parametrize("event", [completion(), judgment()], ids=["completion", "judgment"])
def test_bytes_are_those_of_confluents_serializer_and_back(event: Event) -> None:
    registry = FileRegistry()
    client = confluent_client(registry)
    topic = TOPICS[type(event)]
    context = SerializationContext(topic, MessageField.VALUE)
    schema = registry.latest(topic)
    serializer = AvroSerializer(
        client,
        json.dumps(schema.schema),
        conf={"auto.register.schemas": False, "use.latest.version": True},
    )
    ours = Codec(registry).encode(event)
    assert serializer(event.model_dump(mode="python"), context) == ours
    theirs = AvroDeserializer(client)(ours, context)
    assert type(event).model_validate(theirs) == event


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:3], "too few for the 5-byte Confluent header"),
        (lambda b: b"{" + b[1:], "not the magic byte"),
        (lambda b: b[:1] + (999).to_bytes(4, "big") + b[5:], "schema id 999 is not in"),
        (lambda b: b[:-4], "truncated"),
        (lambda b: b + b"\x00", "1 bytes follow"),
        (lambda b: b[:1] + (3).to_bytes(4, "big") + b[5:], "feedback-value"),
    ],
    ids=["short", "json", "unknown id", "truncated", "trailing", "other schema"],
)
def test_bad_bytes_are_named(damage: object, message: str) -> None:
    assert callable(damage)
    value = damage(Codec().encode(completion()))
    with pytest.raises(SchemaMismatch, match=message):
        Codec().decode(value)


def test_an_event_that_breaks_the_models_rules_is_refused() -> None:
    # "" is legal Avro but no legal prompt id
    value = Codec().encode(completion().model_copy(update={"prompt_id": ""}))
    with pytest.raises(SchemaMismatch, match="completions-value v1: prompt_id"):
        Codec().decode(value)


def test_an_older_versions_bytes_are_read_with_the_newest_schema(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(AVSC, tmp_path / "avsc"))
    newest = json.loads((folder / "completions-value" / "v1.avsc").read_text())
    older = dict(newest, fields=[f for f in newest["fields"] if f["name"] != "tags"])
    (folder / "completions-value" / "v1.avsc").write_text(json.dumps(older))
    (folder / "completions-value" / "v2.avsc").write_text(json.dumps(newest))
    lock = json.loads((folder / "lock.json").read_text())
    lock["completions-value"] = {
        "1": {"id": 1, "sha256": schema_sha256(older)},
        "2": {"id": 99, "sha256": schema_sha256(newest)},
    }
    (folder / "lock.json").write_text(json.dumps(lock))
    codec = Codec(FileRegistry(folder))
    event = completion(tags=("eu",))
    value = codec.encode(event)
    assert int.from_bytes(value[1:5], "big") == 99
    assert codec.decode(value) == event

    (folder / "completions-value" / "v2.avsc").unlink()
    lock["completions-value"].pop("2")
    (folder / "lock.json").write_text(json.dumps(lock))
    old_registry = FileRegistry(folder)
    old_writer = Codec(old_registry)
    body = io.BytesIO()
    record = event.model_dump(mode="python")
    record.pop("tags")
    fastavro.schemaless_writer(body, old_registry.by_id(1).parsed, record, strict=True)
    old_bytes = b"\x00" + (1).to_bytes(4, "big") + body.getvalue()
    read = codec.decode(old_bytes)
    assert isinstance(read, Completion)
    assert read.tags == ()
    with pytest.raises(SchemaMismatch, match="does not fit"):
        old_writer.encode(event)
