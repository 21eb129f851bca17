"""The dataset card: what a person must know of a frozen dataset before training on it."""

from pathlib import Path

import duckdb

from infra.full_disk import a_full_disk_is_fatal
from schemas.events import TOPICS, Label
from trainer.manifest import ROWS_FILE, Manifest, read_manifest
from trainer.table_cell import cell

CARD_FILE = "README.md"
_LABELS = TOPICS[Label]


def write_card(folder: Path) -> None:
    """Write the card beside the dataset in the folder; ``Fatal`` where there is no room."""
    with a_full_disk_is_fatal(folder):
        (folder / CARD_FILE).write_text(card(folder), encoding="utf-8")


def card(folder: Path) -> str:
    """The card as Markdown with the front matter of a dataset repository."""
    manifest = read_manifest(folder)
    with duckdb.connect() as db:
        db.read_parquet(str(folder / ROWS_FILE)).create_view("rows")
        described = _labels(db, manifest) if manifest.topic == _LABELS else _pairs(db, manifest)
    lines = [
        *described,
        "## Identity",
        "",
        f"- workload: {cell(manifest.workload_id or 'all')}",
        f"- judge_config_hash: {manifest.judge_config_hash or 'no rlaif rows'}",
        f"- rubric: {cell(manifest.rubric or 'any')}",
        f"- manifest: {manifest.manifest_hash}",
        f"- rows (SHA-256): {manifest.row_sha256}",
        "- prompts kept out, as they measure something or nearly repeat one that does: "
        f"{len(manifest.excluded_prompt_ids):,}",
        f"- earlier datasets whose pairs were left out: {len(manifest.earlier)}",
    ]
    lines += [
        f"- log: {each.topic} partition {each.partition}, offsets {each.first} to {each.last}"
        for each in manifest.ranges
    ]
    return "\n".join(lines) + "\n"


def _pairs(db: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[str]:
    lengths = db.execute("SELECT median(chosen_length), median(rejected_length) FROM rows")
    return [
        "---",
        "task_categories: [text-generation]",
        "tags: [preference, prefstream]",
        "---",
        "# Preference pairs, frozen from a log",
        "",
        f"{manifest.rows:,} pairs of {manifest.read:,} preferences read. Columns `prompt`, `chosen`"
        " and `rejected` are message lists; every row says who decided it (`source`), under which",
        "rubric, by which teacher, and with which margin (log-odds).",
        *(
            f"Median length in characters: chosen {chosen:g}, rejected {rejected:g}."
            for chosen, rejected in (lengths.fetchall() if manifest.rows else ())
        ),
        "",
        *_table("Source", manifest.counts),
        *_table("Left out, by reason", manifest.removed),
        *_table("Slice", _counts(db, "slice")),
        *_table("Teacher", _counts(db, "teacher_model")),
        *_table("Rubric", _counts(db, "rubric_version")),
    ]


def _labels(db: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[str]:
    """Nobody's name: a card is read by more people than the rows."""
    counted = "SELECT count(DISTINCT annotator), count(DISTINCT comparison_id) FROM rows"
    people, comparisons = db.execute(counted).fetchall()[0]
    return [
        "---",
        "tags: [labels, prefstream]",
        "---",
        "# Labels, frozen from a log",
        "",
        f"{manifest.rows:,} verdicts of {people:,} people on {comparisons:,} comparisons, of "
        f"{manifest.read:,} events read. A row that `withdraws` another takes that one back.",
        "",
        *_table("Role", manifest.counts),
        *_table("Left out, by reason", manifest.removed),
        *_table("Winner", _counts(db, "winner")),
    ]


def _counts(db: duckdb.DuckDBPyConnection, column: str) -> dict[str, int]:
    return dict(db.execute(f"SELECT {column}, count(*) FROM rows GROUP BY ALL").fetchall())


def _table(title: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    body = [f"| {cell(name) or 'none'} | {n:,} |" for name, n in sorted(counts.items())]
    return [f"| {title} | rows |", "|---|---:|", *body, ""]
