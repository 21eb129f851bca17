"""Seeds: prompts without an answer, which the sample stage answers with the models of its pool.

One JSON object a line; every field but the prompt may be left out (see ``PromptFields``):

    {"id": "ask-1", "prompt": "How many refunds in May?", "slice": "redteam/private-data"}

A seed travels as a completion without an output that is tagged ``seed``, so it passes the same
topics, workers and accounts as traffic.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from infra.jsonl import load_jsonl
from schemas.errors import ConfigError
from schemas.events import Completion
from schemas.ids import captured_id, prompt_id
from streams.capture.jsonl_row import ExternalId, PromptFields
from streams.sample import SEED

RED_TEAM: Final = Path(__file__).parent / "redteam" / "seeds.jsonl"
"""Prompts of our own that ask for what a harmless answer declines or handles with care."""


class SeedRow(PromptFields):
    """One line of the file."""

    id: ExternalId | None = None


def read_seeds(path: Path, workload: str) -> Iterator[Completion]:
    """The file's seeds as events; ids come from the row's, else from its prompt.

    Raises ``ConfigError`` with the place of a line that is no seed, and where the file cannot be
    read or two rows have one id.
    """
    taken: set[str] = set()
    for number, row in enumerate(load_jsonl(path, SeedRow), 1):
        messages = row.chat()
        if not messages or not any(turn.content.strip() for turn in messages):
            raise ConfigError(f"{path}: seed {number} has no prompt; give messages or prompt")
        prompt = prompt_id(workload, [(turn.role, turn.content) for turn in messages])
        name = captured_id(workload, f"seed:{row.id or prompt}")
        if name in taken:
            raise ConfigError(f"{path}: seed {number} ({row.id or 'its prompt'}) stands twice")
        taken.add(name)
        yield Completion(
            event_id=name,
            occurred_at=row.occurred_at or datetime.fromtimestamp(path.stat().st_mtime, UTC),
            workload_id=workload,
            config_hash="",
            prompt_id=prompt,
            messages=messages,
            output="",
            model=SEED,
            tags=(SEED,),
            slice=row.slice,
            context=row.context,
            expectations=row.expectations,
        )
