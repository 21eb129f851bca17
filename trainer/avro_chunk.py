"""The bytes of many rows, one after the other, read in step: all rows' next number, next text, …

A row's cursor that leaves the row, or meets what no writer writes, is nowhere and stays there.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Places = NDArray[np.int64]
"""One for each row: where in the chunk it is, or a number."""

# Behind the last row are zeros, more than any read of a cursor that is nowhere takes.
_BEHIND = bytes(16)
# Of eight bytes: those that another one follows, and what each says of a number.
_FOLLOWED = 0x8080808080808080
_SAID = 0x7F7F7F7F7F7F7F7F
# What a number's first byte says, where it is its only one.
_SHORT = np.array([byte >> 1 ^ -(byte & 1) for byte in range(0x80)] * 2, np.int64)


class AvroChunk:
    """Rows lie from ``begin`` to ``end``. Reads take cursors and the ends of their rows, and give
    the cursors behind what was read.

    Bytes from 128 on that were no text are zeros once they were read, so that what is left of such
    bytes in the end is text.
    """

    def __init__(self, rows: Sequence[bytes]) -> None:
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        self.end: Places = np.cumsum(lengths)
        self.begin: Places = self.end - lengths
        self._nowhere = int(lengths.sum()) + 1
        joined = bytearray().join((*rows, _BEHIND))
        self._bytes = np.frombuffer(joined, np.uint8)
        # What lies at each place, as one item: taken whole, not byte by byte.
        self._eights = np.ndarray(len(joined) - 7, "V8", joined, strides=(1,))
        self._text = pa.py_buffer(joined)

    def header(self, header: bytes) -> Places:
        """The cursors behind these bytes, with which each row begins."""
        at = self.begin
        found = np.ones(len(at), np.bool_)
        for byte in header:
            found &= self._bytes[at] == byte
            self._bytes[at] = 0
            at = at + 1
        return self.within(at, self.end, found)

    def number(self, at: Places) -> tuple[Places, Places]:
        """Zigzag, seven bits a byte, the lowest first. Here a cursor may leave its row: whoever
        reads the number asks whether it is ``within``."""
        first = self._bytes.take(at)
        value, at = _SHORT.take(first), at + 1
        if (longer := np.flatnonzero(first > 0x7F)).size:
            value[longer], at[longer] = self._longer(at[longer] - 1)
        return value, at

    def _longer(self, at: Places) -> tuple[Places, Places]:
        """Numbers of two to eight bytes; more have those from 2^55 on, and no event has one."""
        eight = self._eights[at].view("<u8")
        last = ~eight & _FOLLOWED
        last &= ~last + 1
        own = last | (last - 1)
        self._eights[at] = (eight & ~(own >> 8)).view("V8")
        value = eight & own & _SAID
        # Seven bits of each byte become fourteen of each two, then of each four, then of all.
        value = (value & 0x007F007F007F007F) | (value & 0x7F007F007F007F00) >> 1
        value = (value & 0x00003FFF00003FFF) | (value & 0x3FFF00003FFF0000) >> 2
        value = (value & 0x000000000FFFFFFF) | (value & 0x0FFFFFFF00000000) >> 4
        # No writer ends a number in a byte that adds nothing to it.
        legal = (last != 0) & (eight & (own ^ own >> 8) != 0)
        at = np.where(legal, at + (np.bitwise_count(own) >> 3), self._nowhere)
        signed = value.view(np.int64)
        return (signed >> 1) ^ -(signed & 1), at

    def within(self, at: Places, end: Places, legal: NDArray[np.bool_] | None = None) -> Places:
        """The cursors that are still in their rows, and legal; the others are nowhere."""
        inside = at <= end if legal is None else (at <= end) & legal
        return np.where(inside, at, self._nowhere)

    def extent(self, at: Places, end: Places) -> tuple[Places, Places, Places]:
        """Start and length of a text; an empty one where it would leave the row."""
        length, at = self.number(at)
        fits = (length >= 0) & (length <= end - at)
        length = np.where(fits, length, 0)
        return at, length, np.where(fits, at + length, self._nowhere)

    def double(self, at: Places, end: Places) -> tuple[NDArray[np.float64], Places]:
        """Eight bytes, the lowest first; none that is infinite or no number."""
        value = self._eights[at].view("<f8")
        behind = self.within(at + 8, end, np.isfinite(value))
        # Never in the next row, which may be plain.
        self._eights[at[behind <= end]] = bytes(8)
        return value, behind

    def is_utf8(self) -> bool:
        """Whether every text is, once all rows were read to their ends.

        Between two texts are bytes below 128, so none completes what the other began.
        """
        lengths = pa.py_buffer(np.array([0, self._text.size], np.int64))
        whole = [None, lengths, self._text]
        try:
            pa.Array.from_buffers(pa.large_string(), 1, whole).validate(full=True)
        except pa.ArrowInvalid:
            return False
        return True

    def texts(self, start: Places, length: Places) -> pa.Array:
        """These texts as a column."""
        # To Arrow all that lies there are texts: each of these, and what is up to the next one.
        offsets = np.empty(2 * len(start) + 1, np.int32)
        offsets[:-1:2], offsets[1::2], offsets[-1] = start, start + length, self._text.size
        whole = [None, pa.py_buffer(offsets), self._text]
        both = pa.Array.from_buffers(pa.string(), 2 * len(start), whole)
        return both.take(pa.array(np.arange(0, 2 * len(start), 2)))
