"""The dataset card: what a person must know of a frozen dataset before training on it. Pure."""

from collections import Counter
from statistics import median

from trainer.dataset import FrozenDataset

CARD_FILE = "README.md"


def card(dataset: FrozenDataset) -> str:
    """The card as Markdown with the front matter of a dataset repository."""
    manifest, rows = dataset.manifest, dataset.rows
    slices = Counter(row.slice for row in rows)
    teachers = Counter(row.teacher_model or "none" for row in rows)
    rubrics = Counter(row.rubric_version or "none" for row in rows)
    lines = [
        "---",
        "task_categories: [text-generation]",
        "tags: [preference, prefstream]",
        "---",
        "# Preference pairs, frozen from a log",
        "",
        f"{manifest.rows:,} pairs of {manifest.read:,} preferences read. Columns `prompt`, `chosen`"
        " and `rejected` are message lists; every row says who decided it (`source`), under which",
        "rubric, by which teacher, and with which margin (log-odds).",
        "",
        *_table("Source", manifest.counts),
        *_table("Left out, by reason", manifest.removed),
        *_table("Slice", slices),
        *_table("Teacher", teachers),
        *_table("Rubric", rubrics),
        "## Identity",
        "",
        f"- judge_config_hash: {manifest.judge_config_hash or 'no rlaif rows'}",
        f"- manifest: {manifest.manifest_hash}",
        f"- rows (SHA-256): {manifest.row_sha256}",
        f"- prompts kept out because they measure something: {len(manifest.excluded_prompt_ids):,}",
        f"- earlier datasets whose pairs were left out: {len(manifest.earlier)}",
    ]
    lines += [
        f"- log: {each.topic} partition {each.partition}, offsets {each.first} to {each.last}"
        for each in manifest.ranges
    ]
    if rows:
        lines += [
            f"- median length in characters: chosen {median(r.chosen_length for r in rows):g}, "
            f"rejected {median(r.rejected_length for r in rows):g}"
        ]
    return "\n".join(lines) + "\n"


def _table(title: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    body = [f"| {_cell(name)} | {n:,} |" for name, n in sorted(counts.items())]
    return [f"| {title} | rows |", "|---|---:|", *body, ""]


def _cell(text: str) -> str:
    """Names come from events: they may not end the cell or the table."""
    return " ".join(text.replace("|", "\\|").split()) or "-"
