"""The judge's memory: every answer by the hash of its request, on disk before it is used.

A redone call reads its answer back, so work done twice says the same and costs nothing.
"""

import hashlib
import sqlite3
import threading
from pathlib import Path
from typing import Final, Self

from schemas.errors import Fatal
from streams.inference.chat import ChatAnswer, ChatRequest

# Another worker's write takes milliseconds; a lock held this long is a fault worth stopping for.
_BUSY_TIMEOUT_S: Final = 30.0

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS verdicts "
    "(request TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"
)


def request_key(model: str, request: ChatRequest) -> str:
    """Hex SHA-256 of the model's identity and everything that is asked of it."""
    content = f"{model}\x00{request.model_dump_json()}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


class VerdictStore:
    """Answers by request key in one SQLite file, shared by all judge workers of a machine.

    The first answer to a request stays. Safe to call from several threads; calls block for the
    time of a small read or write. Raises ``Fatal`` where the file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file; without a path the answers live as long as this object."""
        self._path = path
        self._lock = threading.Lock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path or ":memory:",
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,  # every statement is its own transaction
                check_same_thread=False,
            )
            # WAL survives a killed process; only power loss can take the last few answers, and
            # then they are asked for again.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None

    def get(self, key: str) -> ChatAnswer | None:
        """The stored answer, or None."""
        try:
            with self._lock:
                row = self._connection.execute(
                    "SELECT answer FROM verdicts WHERE request = ?", (key,)
                ).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        return None if row is None else ChatAnswer.model_validate_json(row[0])

    def put(self, key: str, answer: ChatAnswer) -> ChatAnswer:
        """Store an answer and return the one that counts: the first that was stored."""
        try:
            with self._lock:
                self._connection.execute(
                    "INSERT OR IGNORE INTO verdicts VALUES (?, ?)", (key, answer.model_dump_json())
                )
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        return self.get(key) or answer

    def close(self) -> None:
        """Close the file; closing twice is fine. A call that comes later raises ``Fatal``."""
        # Not in the middle of another thread's statement: that ends the whole process.
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _unusable(self, error: Exception) -> Fatal:
        return Fatal(
            f"the verdict store {self._path or 'in memory'} cannot be used: {error}; "
            "check the folder's rights and free space, or move the file away if it is damaged"
        )
