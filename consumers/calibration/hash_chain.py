"""An append-only file in which a changed, moved or deleted row shows.

Every line holds the SHA-256 of the line before it and its own, over canonical JSON; the first line
is a header. Cutting off the end leaves a whole chain, so the number of lines and the last hash
also stand in ``<file>.head``. What cannot be seen from these two files: that both were replaced by
an older or an invented pair. Keep a copy of the head elsewhere where that matters.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from infra.stack_state import locked
from schemas.errors import ConfigError
from schemas.ids import text_sha256

Body = dict[str, Any]
T = TypeVar("T")

FORMAT = "prefstream ledger 1"


class ChainBroken(ConfigError):
    """The file is not what was written; the text says at which line and what that means."""


@dataclass(frozen=True, kw_only=True)
class _Head:
    lines: int
    sha256: str


class HashChain:
    """Rows of JSON objects in ``path``. Safe between processes: one lock around each use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._head_path = path.with_name(f"{path.name}.head")

    def rows(self) -> tuple[Body, ...]:
        """Every row so far, proven; none where there is no file yet. Raises ``ChainBroken``."""
        if not self.path.parent.is_dir():
            return ()
        with self._lock():
            return self._proven()[0]

    def append(self, row: Callable[[tuple[Body, ...]], tuple[Body | None, T]]) -> T:
        """Add what ``row`` makes of the rows so far, unless it makes None; return its answer.

        ``row`` runs under the lock. When this returns, the row is on the disk. Raises
        ``ChainBroken``, and whatever ``row`` raises: nothing is added then.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock():
            rows, head, size_bytes = self._proven()
            body, answer = row(rows)
            if body is not None:
                self._write(body, head, size_bytes)
            return answer

    def _lock(self) -> Any:
        return locked(self.path.with_name(f"{self.path.name}.lock"))

    def _write(self, body: Body, head: _Head, size_bytes: int) -> None:
        lines = b""
        for one in ([{"format": FORMAT}] if head.lines == 0 else []) + [body]:
            made = _line(head.lines, head.sha256, one)
            lines += made
            head = _Head(lines=head.lines + 1, sha256=json.loads(made)["sha256"])
        with self.path.open("ab") as file:
            # a row that a crash tore was never acknowledged: the new one takes its place
            file.truncate(size_bytes)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        self._write_head(head)

    def _write_head(self, head: _Head) -> None:
        draft = self._head_path.with_name(f"{self._head_path.name}.new")
        with draft.open("w") as file:
            json.dump({"lines": head.lines, "sha256": head.sha256}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._head_path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _proven(self) -> tuple[tuple[Body, ...], _Head, int]:
        """Rows, head, and how many bytes of the file hold them."""
        known = self._known_head()
        if not self.path.exists():
            if known is not None:
                raise self._broken(f"it is gone, but {self._head_path.name} counts {known.lines}")
            return (), _Head(lines=0, sha256=""), 0
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        bodies: list[Body] = []
        hashes = [""]
        for number, line in enumerate(whole.splitlines()):
            body, sha256 = self._parsed(number, line, hashes[-1])
            bodies.append(body)
            hashes.append(sha256)
        self._compare(known, hashes)
        return tuple(bodies[1:]), _Head(lines=len(bodies), sha256=hashes[-1]), len(whole)

    def _parsed(self, number: int, line: bytes, previous: str) -> tuple[Body, str]:
        place = f"line {number + 1}"
        try:
            found = json.loads(line)
            body, sha256 = found["row"], found["sha256"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._broken(f"{place} is not a row") from None
        if (found.get("number"), found.get("previous")) != (number, previous):
            raise self._broken(f"{place} does not follow the one before: a row was moved or taken")
        if not isinstance(body, dict) or _line(number, previous, body) != line + b"\n":
            raise self._broken(f"{place} was changed after it was written")
        if number == 0 and body != {"format": FORMAT}:
            raise self._broken(f"it does not begin with {FORMAT!r}")
        return body, sha256

    def _compare(self, known: _Head | None, hashes: list[str]) -> None:
        lines = len(hashes) - 1
        # one write is at most two lines ahead of its head: the header and the first row
        if known is None:
            if lines > 2:
                raise self._broken(f"{self._head_path.name}, which counts its lines, is gone")
            return
        if lines < known.lines:
            raise self._broken(
                f"it has {lines} lines where {known.lines} were written: the end was cut off"
            )
        if lines > known.lines + 1 or hashes[known.lines] != known.sha256:
            raise self._broken(f"it is not the file that {self._head_path.name} was written for")

    def _known_head(self) -> _Head | None:
        try:
            found = json.loads(self._head_path.read_bytes())
            return _Head(lines=int(found["lines"]), sha256=str(found["sha256"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise self._broken(f"{self._head_path.name} is not readable") from None

    def _broken(self, what: str) -> ChainBroken:
        return ChainBroken(
            f"{self.path} was tampered with or damaged: {what}; restore it and "
            f"{self._head_path.name} from a backup. Nothing is measured or gated on it until then"
        )


def _line(number: int, previous: str, body: Body) -> bytes:
    signed = {"number": number, "previous": previous, "row": body}
    return _canonical(signed | {"sha256": text_sha256(_canonical(signed).decode())}) + b"\n"


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
