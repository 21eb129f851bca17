"""Keys and values of the tokens seen so far, in buffers that grow by blocks."""

from typing import Final

import torch
from transformers.cache_utils import Cache, DynamicLayer

# transformers' own dynamic cache copies all keys and values for every token (1.4 times slower at
# 64 rows of 200 tokens); its static one attends over room that is not used yet. Growing by 64
# columns copies once in 64 tokens.
_BLOCK_COLUMNS: Final = 64


class _BlockLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's cache: written in place, read as a view of what is filled."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._filled = 0
        self._key_buffer = torch.empty(0)
        self._value_buffer = torch.empty(0)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._key_buffer, self._value_buffer = key_states[:, :, :0], value_states[:, :, :0]
        end = self._filled + key_states.shape[2]
        if end > self._key_buffer.shape[2]:
            self._key_buffer = self._grown(self._key_buffer, end + _BLOCK_COLUMNS)
            self._value_buffer = self._grown(self._value_buffer, end + _BLOCK_COLUMNS)
        self._key_buffer[:, :, self._filled : end] = key_states
        self._value_buffer[:, :, self._filled : end] = value_states
        self._filled = end
        return self._show()

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        self._key_buffer = self._key_buffer[indices]
        self._value_buffer = self._value_buffer[indices]
        self._show()

    def get_seq_length(self) -> int:
        return self._filled

    def _grown(self, buffer: torch.Tensor, columns: int) -> torch.Tensor:
        rows, heads, _, width = buffer.shape
        grown = buffer.new_empty(rows, heads, columns, width)
        grown[:, :, : self._filled] = buffer[:, :, : self._filled]
        return grown

    def _show(self) -> tuple[torch.Tensor, torch.Tensor]:
        keys = self._key_buffer[:, :, : self._filled]
        values = self._value_buffer[:, :, : self._filled]
        self.keys, self.values = keys, values
        return keys, values


def new_cache(layers: int) -> Cache:
    """An empty cache for a decoder of so many attention layers."""
    return Cache(layers=[_BlockLayer() for _ in range(layers)])
