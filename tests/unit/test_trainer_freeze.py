"""Freezing: what stays, what is removed and counted, and that it can be had again."""

import hashlib
import io
import json
import re
from pathlib import Path
from random import Random

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Features

from schemas.codec import Codec
from schemas.errors import ConfigError
from schemas.events import Event, Label, Preference
from schemas.records import HumanWinner, LabelRole, OffsetRange, PreferenceSource
from tests.events import completion
from tests.frozen_rows import frozen_rows
from tests.preferences import human, label, preference, said
from trainer.dataset import FrozenDataset, check_rows, columns_of, load, stored_rows, write
from trainer.dataset_card import card
from trainer.dataset_diff import Side, diff
from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze, settings_of
from trainer.manifest import Manifest
from trainer.row_hash import newest_schema, row_schema
from trainer.staged_log import LogValues, stage, staged, values_of

THUMBS = PreferenceSource.THUMBS
LABELS = FreezeSettings(sources=(), workload_id="shop")
PINNED_SCHEMA = 16
PINNED_SHA256 = "2103be28f466f5f152f1267ef2f72f25859eb6afd601b6e74d50fb863a704de8"
RANGES = (OffsetRange(topic="preferences", topic_uuid="u", partition=0, first=0, last=9),)


def frozen(*rows: Preference, **settings: object) -> FrozenDataset:
    return frozen_rows(rows, FreezeSettings(**settings), RANGES)


def elsewhere(name: str, like: str = "", **changes: object) -> Preference:
    """Of another workload; with the texts of the row ``like``."""
    return preference(like or name, event_id=name, workload_id="bank", **changes)


def ids(dataset: FrozenDataset) -> list[str]:
    return [row.event_id for row in dataset.rows]


def test_rows_and_counts() -> None:
    manifest = frozen(preference("a"), human("h")).manifest
    assert (manifest.read, manifest.rows, manifest.removed) == (2, 2, {})
    assert manifest.counts == {"HUMAN": 1, "RLAIF": 1}
    assert (manifest.judge_config_hash, manifest.ranges) == ("jc", RANGES)
    assert manifest.schema_ids == (newest_schema().schema_id,)


@pytest.mark.parametrize(
    ("rows", "settings", "removed"),
    [
        ([preference("a"), preference("a")], {}, {"duplicate_event": 1}),
        (
            [preference("a"), preference("a", event_id="b")],
            {},
            {"duplicate_pair": 1},
        ),
        (
            [preference("a"), preference("t", source=PreferenceSource.THUMBS)],
            {},
            {"other_source": 1},
        ),
        (
            [preference("a"), preference("b")],
            {"excluded_prompt_ids": {"prompt of b"}},
            {"excluded_prompt": 1},
        ),
        (
            [preference("a"), preference("b")],
            {"machine_prompt_ids": {"prompt of a"}},
            {"other_prompt": 1},
        ),
        ([preference("a"), preference("b", rejected=said("b is good."))], {}, {"same_text": 1}),
        (
            [preference("a"), preference("b", judge_config_hash="old")],
            {"judge_config_hash": "jc"},
            {"other_judge_config": 1},
        ),
        (
            # whose judge and texts are of no concern to this one
            [preference("a"), elsewhere("b", judge_config_hash="old"), elsewhere("c", like="a")],
            {"workload_id": "shop"},
            {"other_workload": 2},
        ),
    ],
)
def test_what_is_removed_is_counted(
    rows: list[Preference], settings: dict[str, object], removed: dict[str, int]
) -> None:
    dataset = frozen(*rows, **settings)
    assert ids(dataset) == ["a"]
    assert dataset.manifest.removed == removed
    assert dataset.manifest.read == dataset.manifest.rows + sum(removed.values())


@pytest.mark.parametrize(
    ("rubric", "kept"),
    [
        ("shop", ["both versions", "human", "one", "two"]),
        ("shop/1", ["one"]),
        ("shop-polite", ["other"]),
        ("shop-polite/1", ["other"]),
        ("sh", []),
    ],
)
def test_a_dataset_may_be_of_one_rubric(rubric: str, kept: list[str]) -> None:
    """People decide under a rubric of no version, a panel under all rubrics of its members."""
    versions = {
        "one": "shop/1",
        "two": "shop/2",
        "other": "shop-polite/1",
        "both versions": "shop/1+shop/2",
        "several": "shop/1+shop-polite/1",
        "none": "",
    }
    rows = [preference(name, rubric_version=version) for name, version in versions.items()]
    rows.append(human("human", rubric_version="shop"))
    removed = {"other_rubric": len(rows) - len(kept)}
    with staged(values_of(rows)) as log:
        manifest = freeze(log, FreezeSettings(rubric=rubric), (), None)
    assert (manifest.rubric, manifest.rows, manifest.removed) == (rubric, len(kept), removed)
    if kept:
        assert ids(frozen(*rows, rubric=rubric)) == kept


def test_of_another_rubric_the_judge_is_of_no_concern() -> None:
    rows = [
        preference("a", rubric_version="shop/1"),
        preference("b", rubric_version="polite/1", judge_config_hash="other"),
    ]
    assert frozen(*rows, rubric="polite").manifest.judge_config_hash == "other"


def test_a_pair_that_another_workload_has_first_stays() -> None:
    rows = [elsewhere("b", like="a"), preference("a")]
    assert ids(frozen(*rows, workload_id="shop")) == ["a"]
    assert ids(frozen(*rows, workload_id="bank")) == ["b"]


def test_of_every_workload_rows_freeze_as_they_did() -> None:
    """The same rows, the same hash, and the identity of a manifest that could name no workload."""
    shop = frozen(preference("a"), human("h"), workload_id="shop").manifest
    every = frozen(preference("a"), human("h")).manifest
    assert shop.row_sha256 == every.row_sha256
    assert shop.manifest_hash != every.manifest_hash
    later = {"workload_id", "rubric", "machine_prompt_ids"}
    before = every.model_dump(mode="json", exclude=later)
    text = json.dumps(before, sort_keys=True)
    assert every.manifest_hash == hashlib.sha256(text.encode()).hexdigest()
    assert Manifest.model_validate_json(text) == every


def test_unreadable_records_are_counted() -> None:
    other = Codec().encode(completion())
    with staged(LogValues(values=[None, b"junk", other])) as log:
        manifest = freeze(log, FreezeSettings(), (), None)
    assert (manifest.read, manifest.removed) == (3, {"unreadable": 3})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "none of 0 preferences is left (the topic is empty); label more answers"),
        ([preference("t", source=THUMBS)], "none of 1 preferences is left (1 other_source)"),
    ],
)
def test_a_dataset_without_rows_is_not_written(
    tmp_path: Path, rows: list[Preference], said: str
) -> None:
    with staged(values_of(rows)) as log, pytest.raises(ConfigError, match=re.escape(said)):
        freeze(log, FreezeSettings(), (), tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_several_judge_configurations_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"jc, old.*--judge-config"):
        frozen(preference("a"), preference("b", judge_config_hash="old"))


def test_rows_of_people_and_verifiers_have_no_judge_configuration() -> None:
    other = preference("v", source=PreferenceSource.VERIFIER, judge_config_hash="old")
    assert frozen(preference("a"), other, human("h")).manifest.judge_config_hash == "jc"
    assert frozen(human("h")).manifest.judge_config_hash is None


def test_the_order_of_partitions_does_not_matter() -> None:
    rows = [preference(f"p{n}") for n in range(20)]
    shuffled = Random(1).sample(rows, len(rows))
    assert frozen(*rows) == frozen(*shuffled)


def test_freezing_the_manifests_settings_again_gives_the_same_manifest() -> None:
    rows = [preference("a"), preference("a"), preference("b"), human("h")]
    first = frozen(*rows, excluded_prompt_ids={"prompt of b"}, workload_id="shop", rubric="1")
    again = frozen_rows(rows, settings_of(first.manifest), RANGES)
    assert again == first
    assert again.manifest.manifest_hash == first.manifest.manifest_hash


@pytest.mark.parametrize(
    ("picked", "rows"),
    [
        # after the judge was exchanged: none of its own rows is there yet
        ("new", [human("h"), preference("a", judge_config_hash="old")]),
        # nobody was picked, and the other judge's row measures
        (None, [preference("a"), preference("b", judge_config_hash="old")]),
    ],
)
def test_a_dataset_without_a_judges_rows_can_be_had_again(
    picked: str | None, rows: list[Preference]
) -> None:
    first = frozen(*rows, judge_config_hash=picked, excluded_prompt_ids={"prompt of b"})
    assert first.manifest.judge_config_hash == (picked or "jc")
    assert frozen_rows(rows, settings_of(first.manifest), RANGES) == first


def test_a_log_has_the_same_hash_in_every_release(tmp_path: Path) -> None:
    """Of rows in the schema that their manifest names, whatever newer ones add."""
    rows = [
        preference("c"),
        preference("b", margin=None, slice="joins", chosen=said("Zürich" * 99)),
    ]
    rows += [preference("c"), human("a", chosen_checks={"sql": "PASS", "json": "SKIP"})]
    log = stage(values_of(rows), row_schema(PINNED_SCHEMA), tmp_path)
    assert freeze(log, FreezeSettings(), (), None).row_sha256 == PINNED_SHA256


def test_a_dataset_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    dataset = frozen(preference("a"), human("h", slice="joins", margin=None))
    path = write(dataset, tmp_path / "data")
    assert load(path) == dataset
    assert load(path.parent) == dataset


@pytest.mark.parametrize("event", [Preference, Label])
def test_the_columns_are_such_as_hugging_faces_datasets_load(event: type[Event]) -> None:
    columns = columns_of(newest_schema(event).schema_id)
    assert list(Features.from_arrow_schema(columns)) == columns.names


def test_a_file_with_arrows_maps_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    dataset = frozen(preference("a", chosen_checks={"sql": "PASS"}), human("h"))
    rows = write(dataset, tmp_path).with_name("rows.parquet")
    table = pq.read_table(rows)
    for name in ("chosen_checks", "rejected_checks"):
        pairs = [[(one["key"], one["value"]) for one in row] for row in table[name].to_pylist()]
        maps = pa.array(pairs, pa.map_(pa.string(), pa.string()))
        table = table.set_column(table.column_names.index(name), name, maps)
    pq.write_table(table, rows)
    assert load(tmp_path) == dataset


def test_writing_the_same_dataset_twice_is_harmless_and_another_is_refused(tmp_path: Path) -> None:
    dataset = frozen(preference("a"))
    write(dataset, tmp_path)
    write(dataset, tmp_path)
    with pytest.raises(ConfigError, match="another dataset"):
        write(frozen(preference("b")), tmp_path)


def test_rows_that_were_changed_on_disk_are_refused(tmp_path: Path) -> None:
    write(frozen(preference("a")), tmp_path / "one")
    write(frozen(preference("b")), tmp_path / "two")
    (tmp_path / "two" / "rows.parquet").replace(tmp_path / "one" / "rows.parquet")
    with pytest.raises(ConfigError, match="hash differs"):
        load(tmp_path / "one")


@pytest.mark.parametrize("text", ["", "{}", "not json"])
def test_a_broken_manifest_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match="not a dataset manifest"):
        load(tmp_path)


def test_a_missing_manifest_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such manifest"):
        load(tmp_path / "nowhere")


def test_pairs_of_an_earlier_dataset_stay_out(tmp_path: Path) -> None:
    first = frozen(preference("a"), preference("b"))
    write(first, tmp_path)
    rows = [preference("a", event_id="a again"), preference("b"), preference("c")]
    second = frozen_rows(rows, earlier=[tmp_path])
    assert ids(second) == ["c"]
    assert second.manifest.removed == {"earlier_dataset": 2}
    assert second.manifest.earlier == (first.manifest.manifest_hash,)
    assert frozen_rows(rows, settings_of(second.manifest), earlier=[tmp_path]) == second
    assert frozen_rows(rows, settings_of(second.manifest)) != second


def test_what_is_no_earlier_dataset_of_pairs_is_one_sentence(tmp_path: Path) -> None:
    rows = [preference("a")]
    with pytest.raises(ConfigError, match="nosuch: no such manifest"):
        frozen_rows(rows, earlier=[tmp_path / "nosuch"])
    (tmp_path / "parts").mkdir()
    labels = values_of([label("ann", HumanWinner.A)])
    freeze(stage(labels, newest_schema(Label), tmp_path / "parts"), LABELS, (), tmp_path / "labels")
    with pytest.raises(ConfigError, match="labels: holds labels, no pairs"):
        frozen_rows(rows, earlier=[tmp_path / "labels"])
    write(frozen(preference("b")), tmp_path / "torn")
    (tmp_path / "torn" / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigError, match=r"torn/rows\.parquet: cannot be read"):
        frozen_rows(rows, earlier=[tmp_path / "torn"])


def test_a_diff_names_what_only_one_holds() -> None:
    first = frozen(preference("a"), preference("b"), human("h"))
    second = frozen(preference("b", margin=9.0), human("h"), human("i"), sources=GATED_SOURCES[1:])
    assert ids(second) == ["h", "i"]
    found = diff(first, second)
    assert (found.shared, found.changed) == (1, ())
    assert found.only_first == Side(rows=2, by_source={"RLAIF": 2})
    assert found.only_second == Side(rows=1, by_source={"HUMAN": 1})
    assert set(found.settings) == {"sources", "judge_config_hash"}
    changed = diff(first, frozen(preference("a", margin=9.0), preference("b"), human("h")))
    assert changed.changed == ("a",)


def test_a_card_says_what_is_in_it_and_no_name_breaks_its_tables(tmp_path: Path) -> None:
    def card_of(dataset: FrozenDataset, name: str) -> str:
        return card(write(dataset, tmp_path / name).parent)

    dataset = frozen(
        preference("a", slice="x | y\n| z"), human("h"), preference("t", source=THUMBS)
    )
    text = card_of(dataset, "some")
    assert "2 pairs of 3 preferences read" in text
    assert "| other_source | 1 |" in text
    assert "| x \\| y \\| z | 1 |" in text
    assert "chosen 10, rejected 9" in text
    assert "kept out, as they measure something or nearly repeat one that does: 0" in text
    assert dataset.manifest.manifest_hash in text
    assert "no rlaif rows" in card_of(frozen(human("h")), "human")


def test_a_workloads_labels_freeze_whole_and_once(tmp_path: Path) -> None:
    labels = [
        label("ann", HumanWinner.A, comment="Zürich", seconds=2.5),
        label("bob", HumanWinner.TIE, role=LabelRole.ADJUDICATION),
    ]
    foreign = label("cy", HumanWinner.A, workload_id="bank")
    folder = tmp_path / "parts"
    folder.mkdir()
    log = stage(
        values_of([*labels, labels[0], foreign, completion()]), newest_schema(Label), folder
    )
    manifest = freeze(log, LABELS, (), tmp_path)
    assert (manifest.topic, manifest.read) == ("labels", 5)
    assert manifest.counts == {"ADJUDICATION": 1, "LABEL": 1}
    assert manifest.removed == {"duplicate_event": 1, "other_workload": 1, "unreadable": 1}
    assert list(stored_rows(tmp_path, manifest)) == labels
    check_rows(stored_rows(tmp_path, manifest), manifest, tmp_path)
    assert "2 verdicts of 2 people on 1 comparisons" in card(tmp_path)
    with pytest.raises(ConfigError, match="holds labels, no pairs"):
        load(tmp_path)


def test_every_field_of_a_preference_is_a_column(tmp_path: Path) -> None:
    assert columns_of(newest_schema().schema_id).names == list(Preference.model_fields)
    dataset = frozen(preference("a", panel="three judges", marks=("truncated",)))
    write(dataset, tmp_path)
    assert load(tmp_path) == dataset


def test_rows_of_every_schema_version_freeze_together() -> None:
    """Readers see what an older writer could not say as the default that its schema gives."""
    codec = Codec()
    versions = [one for one in codec.registry.versions() if one.topic == "preferences"]
    rows = []
    for schema in versions:
        named = preference(f"of version {schema.version}", prompt_id=f"p{schema.version}")
        fields = {field["name"] for field in schema.parsed["fields"]}
        record = {name: value for name, value in named.model_dump().items() if name in fields}
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema.parsed, record, strict=True)
        header = bytes([0]) + schema.schema_id.to_bytes(4, "big")
        rows.append(codec.decode(header + body.getvalue()))
    assert len(rows) >= 2
    dataset = frozen(*(row for row in rows if isinstance(row, Preference)))
    assert len(dataset.rows) == len(versions)
    assert {row.panel for row in dataset.rows} == {""}
