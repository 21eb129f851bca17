"""The judge's memory: every answer by the hash of its request, on disk before it is used.

A redone call reads its answer back, so work done twice says the same and costs nothing.
"""

import hashlib
from pathlib import Path
from typing import Final, Self

from infra.sqlite_file import SqliteFile
from streams.inference.chat import ChatAnswer, ChatRequest

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

    Raises ``Fatal`` where the file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file; without a path the answers live as long as this object."""
        self._file = SqliteFile(path, _TABLE, what="verdict store")

    def get(self, key: str) -> ChatAnswer | None:
        """The stored answer, or None."""
        row = self._file.execute("SELECT answer FROM verdicts WHERE request = ?", (key,))
        return None if row is None else ChatAnswer.model_validate_json(str(row[0]))

    def put(self, key: str, answer: ChatAnswer) -> ChatAnswer:
        """Store an answer and return the one that counts: the first that was stored."""
        self._file.execute(
            "INSERT OR IGNORE INTO verdicts VALUES (?, ?)", (key, answer.model_dump_json())
        )
        return self.get(key) or answer

    def replace(self, key: str, answer: ChatAnswer) -> ChatAnswer:
        """Store an answer in the place of the one that may be there, and return it."""
        self._file.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (key, answer.model_dump_json())
        )
        return answer

    def close(self) -> None:
        """Close the file; closing twice is fine. A call that comes later raises ``Fatal``."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
