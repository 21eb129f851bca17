"""The lines of a file as bytes, bounded in memory, and what is wrong with one of them."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Literal

from schemas.events import DeadLetter
from schemas.records import Record
from streams.runner.dead_letter import HEAD_BYTES, MESSAGE_CHARACTERS, dead_letter_id

# The largest message a topic takes: a longer line could not become one event anyway.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024

Reason = Literal[
    "invalid_utf8",
    "malformed_json",
    "not_an_object",
    "not_a_number",
    "unknown_field",
    "missing_field",
    "invalid_value",
    "empty_prompt",
    "empty_completion",
    "empty_set",
    "text_too_large",
    "line_too_large",
    "contradictory_duplicate",
]


class RawLine(Record):
    """One line without its line feed: its bytes up to ``MAX_LINE_BYTES``, and hash of them all."""

    number: int
    content: bytes
    sha256: str
    total_bytes: int

    @property
    def whole(self) -> bool:
        """Whether ``content`` holds all of it."""
        return len(self.content) == self.total_bytes


class LineError(Record):
    """A line that is no event: why, where and what to do, with its bytes."""

    workload_id: str
    path: str
    file_sha256: str
    file_at: datetime
    line: RawLine
    reason: Reason
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line.number}: {self.reason}: {self.problem}"


def to_dead_letter(error: LineError) -> DeadLetter:
    """The line for dead-letters: its topic is the file's hash, its offset the line's number.

    It keeps the first 64 KiB of the line, the hash and the length of all of it.
    """
    topic = f"import-{error.file_sha256[:16]}"
    return DeadLetter(
        event_id=dead_letter_id(topic, 0, error.line.number),
        occurred_at=error.file_at,
        workload_id=error.workload_id,
        config_hash="",
        topic=topic,
        partition=0,
        offset=error.line.number,
        key=None,
        value=error.line.content[:HEAD_BYTES],
        value_sha256=error.line.sha256,
        value_bytes=error.line.total_bytes,
        error_class=error.reason,
        message=str(error)[:MESSAGE_CHARACTERS],
        stage="import",
        attempt=1,
        retryable=False,
    )


def raw_lines(path: Path) -> Iterator[RawLine]:
    """The file's lines that are not blank, numbered from 1; a byte order mark is left out."""
    with path.open("rb") as file:
        number = 0
        while (line := _next(file, number + 1)) is not None:
            number += 1
            if line.content.strip():
                yield line


def _next(file: BinaryIO, number: int) -> RawLine | None:
    kept = bytearray()
    digest = hashlib.sha256()
    total = 0
    while chunk := file.readline(_CHUNK_BYTES):
        ended = chunk.endswith(b"\n")
        body = chunk.removesuffix(b"\n")
        if number == 1 and total == 0:
            body = body.removeprefix(b"\xef\xbb\xbf")
        digest.update(body)
        total += len(body)
        kept += body[: MAX_LINE_BYTES - len(kept)]
        if ended:
            break
    else:
        if not total:
            return None
    return RawLine(number=number, content=bytes(kept), sha256=digest.hexdigest(), total_bytes=total)
