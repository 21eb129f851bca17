"""Rows by the bytes they came as: most right answers give the very bytes that gold gave."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from streams.verify.sandbox.result import Row

# Parsed rows take about ten times their bytes: 320 MB at worst.
_KEPT_BYTES: Final = 32 * 1024**2
_LARGEST_BYTES: Final = 1024**2

Rows = tuple[Row, ...]


class InternedRows:
    """Equal bytes are parsed once and give the same object, so that comparing them is free."""

    def __init__(self) -> None:
        self._rows: OrderedDict[bytes, Rows] = OrderedDict()
        self._size = 0

    def get(self, payload: bytes, parse: Callable[[bytes], Rows]) -> Rows:
        """The rows of the payload; raises what ``parse`` raises."""
        rows = self._rows.get(payload)
        if rows is not None:
            self._rows.move_to_end(payload)
            return rows
        rows = parse(payload)
        if len(payload) <= _LARGEST_BYTES:
            self._rows[payload] = rows
            self._size += len(payload)
            while self._size > _KEPT_BYTES:
                self._size -= len(self._rows.popitem(last=False)[0])
        return rows
