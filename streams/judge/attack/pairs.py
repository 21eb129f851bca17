"""Pairs with a known better answer, as comparisons that can be attacked.

{"prompt": "How many refunds?", "better": "12 refunds.", "worse": "13 refunds."}
"""

from pathlib import Path

from pydantic import Field

from infra.jsonl import load_jsonl
from schemas.errors import ConfigError
from schemas.events import Comparison
from schemas.ids import text_sha256, unit_interval
from schemas.records import Record, Winner
from streams.judge.given_pair import given_pair


class PairRow(Record):
    """One line of the file."""

    prompt: str = Field(min_length=1)
    better: str = Field(min_length=1)
    worse: str = Field(min_length=1)


def read_pairs(path: Path, rubric_id: str) -> list[tuple[Comparison, Winner]]:
    """Every pair with its better side, sides drawn by hash of the texts.

    Raises ``ConfigError`` with file and line where a line is no pair, or there is none.
    """
    found = [comparison(row, rubric_id) for row in load_jsonl(path, PairRow)]
    if not found:
        raise ConfigError(f"{path} holds no pair; a line has prompt, better and worse")
    return found


def comparison(row: PairRow, rubric_id: str) -> tuple[Comparison, Winner]:
    """The pair as the judge gets it, and which side is better."""
    name = text_sha256("\0".join((row.prompt, row.better, row.worse)))[:24]
    better = Winner.A if unit_interval("attacked pair", name) < 0.5 else Winner.B
    texts = (row.better, row.worse) if better is Winner.A else (row.worse, row.better)
    event = given_pair(name, row.prompt, *texts, rubric_id=rubric_id, workload="attack")
    return event, better
