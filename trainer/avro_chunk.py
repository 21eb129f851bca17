"""The bytes of many rows, one after the other, read in step: all rows' next number, next text, …

A row's cursor that leaves the row, or meets what no writer writes, is nowhere and stays there.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Places = NDArray[np.int64]
"""One for each row: where in the chunk it is, or a number."""

# What Arrow keeps of a short text in its view.
_INLINE_BYTES = 12
# By length, which of those bytes are the text's.
_KEPT = (-np.tri(_INLINE_BYTES + 1, _INLINE_BYTES, -1, np.int8)).view(np.int32)
# Numbers from 2^55 on take more bytes; no event has one.
_MOST_BITS = 56


class AvroChunk:
    """Rows lie from ``begin`` to ``end``. Reads take cursors and the ends of their rows, and give
    the cursors behind what was read."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        lengths = np.fromiter(map(len, bodies), np.int64, len(bodies))
        self.end: Places = np.cumsum(lengths)
        self.begin: Places = self.end - lengths
        self._nowhere = int(lengths.sum()) + 1
        # Behind the last row are zeros: what is read there stays beyond every row.
        joined = b"".join((*bodies, bytes(_INLINE_BYTES + 2)))
        self._bytes = np.frombuffer(joined, np.uint8)
        self._text = pa.py_buffer(joined)
        # What lies at each place, as one item: taken whole, not byte by byte.
        self._inline = np.ndarray(
            len(joined) - _INLINE_BYTES + 1, f"V{_INLINE_BYTES}", joined, strides=(1,)
        )
        self._doubles = np.ndarray(len(joined) - 7, "V8", joined, strides=(1,))
        # The same with zeros where numbers were read: what is left of other bytes is text.
        self._left = bytearray(joined)
        self._left_bytes = np.frombuffer(self._left, np.uint8)
        self._left_doubles = np.ndarray(len(joined) - 7, "V8", self._left, strides=(1,))

    def number(self, at: Places, end: Places) -> tuple[Places, Places]:
        """Zigzag, seven bits a byte, the lowest first."""
        first = self._bytes[at]
        value, at = (first & 0x7F).astype(np.int64), at + 1
        longer, bits = np.flatnonzero(first & 0x80), 7
        while longer.size and bits < _MOST_BITS:
            byte = self._bytes[at[longer]]
            self._left_bytes[at[longer] - 1] = 0
            value[longer] |= (byte & 0x7F).astype(np.int64) << bits
            at[longer] += 1
            at[longer[byte == 0]] = self._nowhere
            longer, bits = longer[byte >= 0x80], bits + 7
        at[longer] = self._nowhere
        return (value >> 1) ^ -(value & 1), self.within(at, end)

    def within(self, at: Places, end: Places, legal: NDArray[np.bool_] | None = None) -> Places:
        """The cursors that are still in their rows, and legal; the others are nowhere."""
        inside = at <= end if legal is None else (at <= end) & legal
        return np.where(inside, at, self._nowhere)

    def extent(self, at: Places, end: Places) -> tuple[Places, Places, Places]:
        """Start and length of a text; an empty one where it would leave the row."""
        length, at = self.number(at, end)
        fits = (length >= 0) & (length <= end - at)
        length = np.where(fits, length, 0)
        return at, length, self.within(at + length, end, fits)

    def double(self, at: Places, end: Places) -> tuple[NDArray[np.float64], Places]:
        """Eight bytes, the lowest first; none that is infinite or no number."""
        value = self._doubles[at].view("<f8")
        self._left_doubles[at] = bytes(8)
        return value, self.within(at + 8, end, np.isfinite(value))

    def is_utf8(self) -> bool:
        """Whether every text is, once all rows were read to their ends.

        Between two texts are bytes below 128, or zeros, so none completes what the other began.
        """
        lengths = pa.py_buffer(np.array([0, len(self._left)], np.int64))
        whole = [None, lengths, pa.py_buffer(self._left)]
        try:
            pa.Array.from_buffers(pa.large_string(), 1, whole).validate(full=True)
        except pa.ArrowInvalid:
            return False
        return True

    def texts(self, start: Places, length: Places) -> pa.Array:
        """These texts as a column."""
        views = np.empty((len(start), 4), np.int32)
        views[:, 0] = length
        inline = self._inline[start].view(np.int32).reshape(-1, 3)
        views[:, 1:] = inline & _KEPT[np.minimum(length, _INLINE_BYTES)]
        long = np.flatnonzero(length > _INLINE_BYTES)
        views[long, 2], views[long, 3] = 0, start[long]
        seen = [None, pa.py_buffer(views), self._text]
        return pa.Array.from_buffers(pa.string_view(), len(start), seen).cast(pa.string())
