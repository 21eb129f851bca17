import json
import shutil
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

import schemas.registry
from schemas.compat import incompatibilities
from schemas.errors import Fatal
from schemas.events import TOPICS
from schemas.registry import FileRegistry, RegisteredSchema, schema_sha256

AVSC = Path(schemas.registry.__file__).parent / "avsc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(AVSC, tmp_path / "avsc"))


def test_every_topic_has_a_schema_with_the_fields_of_its_event() -> None:
    registry = FileRegistry()
    for event, topic in TOPICS.items():
        fields = {f["name"]: f for f in registry.latest(topic).schema["fields"]}
        assert list(fields) == list(event.model_fields)
        for name, field in event.model_fields.items():
            if field.default is PydanticUndefined and field.default_factory is None:
                assert fields[name].get("default") is None, (topic, name)


def test_all_versions_read_each_other() -> None:
    assert incompatibilities(FileRegistry().versions()) == []


def test_an_edited_schema_is_refused(folder: Path) -> None:
    path = folder / "feedback-value" / "v1.avsc"
    path.write_text(path.read_text().replace("comment", "remark"))
    with pytest.raises(Fatal, match=r"changed after it was locked; restore it and add a v2"):
        FileRegistry(folder)


def test_a_lost_schema_is_refused(folder: Path) -> None:
    (folder / "feedback-value" / "v1.avsc").unlink()
    with pytest.raises(Fatal, match=r"feedback-value v1 is missing in the folder"):
        FileRegistry(folder)


def test_an_unlocked_schema_is_refused(folder: Path) -> None:
    shutil.copy(folder / "feedback-value" / "v1.avsc", folder / "feedback-value" / "v2.avsc")
    with pytest.raises(Fatal, match=r"feedback-value v2 is missing in lock.json"):
        FileRegistry(folder)


def test_an_id_given_twice_is_refused(folder: Path) -> None:
    lock = json.loads((folder / "lock.json").read_text())
    lock["feedback-value"]["1"]["id"] = lock["completions-value"]["1"]["id"]
    (folder / "lock.json").write_text(json.dumps(lock))
    with pytest.raises(Fatal, match="stands twice"):
        FileRegistry(folder)


@pytest.mark.parametrize(
    ("field", "compatible"),
    [
        ({"name": "locale", "type": ["null", "string"], "default": None}, True),
        ({"name": "locale", "type": "string"}, False),
        (None, False),
    ],
    ids=["optional field added", "required field added", "required field removed"],
)
def test_compatibility_of_a_second_version(
    field: dict[str, object] | None, compatible: bool
) -> None:
    first = FileRegistry().latest("feedback")
    changed = json.loads(json.dumps(first.schema))
    if field is None:
        changed["fields"] = [f for f in changed["fields"] if f["name"] != "completion_id"]
    else:
        changed["fields"].append(field)
    second = RegisteredSchema(
        subject=first.subject, version=2, schema_id=99, schema=changed, parsed=changed
    )
    assert (incompatibilities([first, second]) == []) is compatible


def test_the_hash_covers_defaults() -> None:
    schema = json.loads(json.dumps(FileRegistry().latest("completions").schema))
    before = schema_sha256(schema)
    next(f for f in schema["fields"] if f["name"] == "slice")["default"] = "other"
    assert schema_sha256(schema) != before
