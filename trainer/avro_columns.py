"""Avro bodies into Parquet columns, by ClickHouse's reader in a process of its own.

On two busy cores Python took 85 microseconds to decode a preference of 1 kB and 69 to make columns
of it, this 24 for both. The process ends with the object, and its memory with it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from schemas.errors import Fatal
from schemas.registry import AvroSchema, RegisteredSchema

DIGEST = "_digest"
"""The column that stands behind those of the schema."""

_HEX_DIGITS = 64
_MAGIC = b"Obj\x01"
# Nothing looks for it: a file has one block.
_SYNC = bytes(16)

Hashed = tuple[str, bytes]
"""A row's SHA-256 in hexadecimal digits, and its Avro body."""


class AvroColumns:
    """Turns bodies of one schema into Parquet files; to be closed."""

    def __init__(self, schema: RegisteredSchema) -> None:
        self._schema = _with_digest(schema.schema)
        self._reader = subprocess.Popen(
            [sys.executable, "-m", "trainer.avro_columns"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, rows: Sequence[Hashed], file: Path) -> None:
        """Have the columns of the rows written; ask ``finish`` before the next ones."""
        source = file.with_suffix(".avro")
        source.write_bytes(container(self._schema, rows))
        asked, _ = self._pipes()
        asked.write(json.dumps([str(source), str(file)]) + "\n")
        asked.flush()

    def finish(self, rows: Sequence[Hashed], file: Path) -> bool:
        """Wait until they are; False where one of the bodies is no Avro.

        A file may then be there whose rows mean nothing. Raises ``Fatal`` where the reader ended.
        """
        _, told = self._pipes()
        answer = told.readline()
        file.with_suffix(".avro").unlink()
        if not answer:
            raise Fatal("the process that reads Avro ended; see its message, and try again")
        return bool(json.loads(answer)) and _digests(file) == [digest for digest, _ in rows]

    def close(self) -> None:
        """End the process."""
        for pipe in self._pipes():
            pipe.close()
        self._reader.wait()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        asked, told = self._reader.stdin, self._reader.stdout
        assert asked is not None
        assert told is not None
        return asked, told


def container(schema: AvroSchema, rows: Iterable[Hashed]) -> bytes:
    """An Avro object container file of one uncompressed block. Pure.

    Each body is followed by its digest: were one read short or long, they would not match.
    """
    pieces: list[bytes] = []
    for digest, body in rows:
        pieces += (body, _DIGEST_LENGTH, digest.encode())
    block = b"".join(pieces)
    described = {"avro.schema": json.dumps(schema).encode(), "avro.codec": b"null"}
    header = b"".join(_bytes(name.encode()) + _bytes(value) for name, value in described.items())
    return b"".join(
        (
            *(_MAGIC, _long(len(described)), header, _long(0), _SYNC),
            *(_long(len(pieces) // 3), _long(len(block)), block, _SYNC),
        )
    )


def _long(number: int) -> bytes:
    """As Avro writes a long: zigzag, seven bits a byte, the lowest first."""
    left, out = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


def _bytes(value: bytes) -> bytes:
    return _long(len(value)) + value


_DIGEST_LENGTH = _long(_HEX_DIGITS)


def _with_digest(schema: AvroSchema) -> AvroSchema:
    return {**schema, "fields": [*schema["fields"], {"name": DIGEST, "type": "string"}]}


def _digests(file: Path) -> list[str]:
    import pyarrow.parquet as pq

    found: list[str] = pq.read_table(file, columns=[DIGEST]).column(DIGEST).to_pylist()
    return found


def main() -> None:
    """Read pairs of file names, a line each, and say whether each could be read."""
    import chdb

    # What ClickHouse writes to standard output is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        source, target = (
            name.replace("\\", "\\\\").replace("'", "\\'") for name in json.loads(line)
        )
        try:
            chdb.query(  # type: ignore[no-untyped-call]
                f"SELECT * FROM file('{source}', 'Avro') "
                f"INTO OUTFILE '{target}' TRUNCATE FORMAT Parquet "
                "SETTINGS output_format_parquet_string_as_string = 1"
            )
            read = True
        except RuntimeError:
            read = False
        answers.write(json.dumps(read) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
