"""Completions and candidate sets from a JSON Lines file.

One object a line, UTF-8; jsonl_row.py lists the fields. A completion:

    {"id": "req-1", "prompt": "How many refunds?", "output": "There were 12.", "model": "gpt-4o"}

and a prompt with several answers, which needs no sampling any more:

    {"messages": [{"role": "user", "content": "How many refunds?"}],
     "candidates": [{"output": "12", "model": "a"}, {"output": "There were 12.", "model": "b"}]}

Reading is strict and never stops: a line that is no row is told by name, with its place, its
bytes and what to do, and the next line is read. Blank lines are skipped.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from schemas.errors import ConfigError
from schemas.events import CandidateSet, Completion
from schemas.ids import EventId, captured_id, derived_id, line_id, prompt_id
from schemas.records import Candidate
from streams.capture.jsonl_line import LineError, RawLine, Reason, raw_lines, to_dead_letter
from streams.capture.jsonl_parse import Refusal, parse_row
from streams.capture.jsonl_row import AnswerFields, CompletionRow, SetRow

__all__ = ["Imported", "LineError", "read_jsonl", "to_dead_letter"]

Imported: TypeAlias = Completion | CandidateSet | LineError

STAGE = "import"
_ANSWER_FIELDS = tuple(name for name in AnswerFields.model_fields if name != "id")


def read_jsonl(path: Path, workload_id: str) -> Iterator[Imported]:
    """The file's events and errors in the order of its lines.

    The event id is that of the row's ``id`` within the workload, else of workload, file content
    and line; so the same file gives the same ids. A row whose ``id`` came before with other
    content is an error; with the same content it is the same event again. The ids seen are kept
    in memory (about 150 bytes each).

    Raises ``ConfigError`` where the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); name a JSON Lines file"
        ) from None
    source = _Source(path, digest, modified, workload_id)
    for line in raw_lines(path):
        yield source.imported(line)


class _Source:
    """One file, and the ids that its lines have used so far."""

    def __init__(self, path: Path, sha256: str, modified: datetime, workload_id: str) -> None:
        self._path = path
        self._sha256 = sha256
        self._modified = modified
        self._workload_id = workload_id
        self._seen: dict[str, tuple[bytes, int]] = {}

    def imported(self, line: RawLine) -> Imported:
        try:
            row = parse_row(line)
            event = (
                self._completion(row, line)
                if isinstance(row, CompletionRow)
                else self._candidate_set(row, line)
            )
            self._refuse_contradiction(event, line)
        except Refusal as refusal:
            return self._error(line, refusal.reason, refusal.problem)
        return event

    def _completion(self, row: CompletionRow, line: RawLine) -> Completion:
        messages = row.chat()
        return Completion(
            event_id=self._id(row.id, line),
            occurred_at=row.occurred_at or self._modified,
            workload_id=self._workload_id,
            config_hash="",
            prompt_id=prompt_id(self._workload_id, [(m.role, m.content) for m in messages]),
            messages=messages,
            output=row.output,
            slice=row.slice,
            context=row.context,
            expectations=row.expectations,
            **{name: getattr(row, name) for name in _ANSWER_FIELDS},
        )

    def _candidate_set(self, row: SetRow, line: RawLine) -> CandidateSet:
        messages = row.chat()
        set_id = self._id(row.id, line)
        return CandidateSet(
            event_id=set_id,
            occurred_at=row.occurred_at or self._modified,
            workload_id=self._workload_id,
            config_hash="",
            prompt_id=prompt_id(self._workload_id, [(m.role, m.content) for m in messages]),
            messages=messages,
            expectations=row.expectations,
            context=row.context,
            slice=row.slice,
            purpose=row.purpose,
            candidates=tuple(
                Candidate(
                    completion_id=derived_id("Completion", STAGE, [set_id], "", ordinal)
                    if answer.id is None
                    else captured_id(self._workload_id, answer.id),
                    output=answer.output,
                    **{name: getattr(answer, name) for name in _ANSWER_FIELDS},
                )
                for ordinal, answer in enumerate(row.answers())
            ),
        )

    def _id(self, external_id: str | None, line: RawLine) -> EventId:
        if external_id is not None:
            return captured_id(self._workload_id, external_id)
        return line_id(self._workload_id, self._sha256, line.number)

    def _refuse_contradiction(self, event: Completion | CandidateSet, line: RawLine) -> None:
        """An id stands for one content; all of an event's ids are taken, or none."""
        contents = [(event.event_id, event.model_dump_json())]
        if isinstance(event, CandidateSet):
            contents += [
                (one.completion_id, f"{event.prompt_id} {one.model_dump_json()}")
                for one in event.candidates
            ]
        digests = {i: hashlib.sha256(text.encode()).digest()[:16] for i, text in contents}
        for event_id, digest in digests.items():
            earlier, number = self._seen.get(event_id, (digest, line.number))
            if earlier != digest:
                raise Refusal(
                    "contradictory_duplicate",
                    f"line {number} has the same id with other content and stays; give this one "
                    "an id of its own, or remove it",
                )
        for event_id, digest in digests.items():
            self._seen.setdefault(event_id, (digest, line.number))

    def _error(self, line: RawLine, reason: Reason, problem: str) -> LineError:
        return LineError(
            workload_id=self._workload_id,
            path=str(self._path),
            file_sha256=self._sha256,
            file_at=self._modified,
            line=line,
            reason=reason,
            problem=problem,
        )
