"""Plain Python values as JSON, every type kept. Standard library only: children import it.

A list, a number, a text, a truth value and None are themselves; all else is ``{tag: content}``.
The parent never makes Python objects of what a child sent: an integer that hashes as badly as can
be, or an object with its own idea of equality, cannot arise.
"""

import math
from typing import Any, TypeAlias

Packed: TypeAlias = Any
"""JSON as ``pack`` makes it, or whatever a child sent in its place."""

# Above it Python refuses to read a decimal number, which guards it against slow ones.
_PLAIN_INTEGER = 2**63


def pack(value: object) -> Packed:
    """Raises TypeError for a value that is not plain, RecursionError where it is too deep."""
    if value is None or type(value) in (bool, str):
        return value
    if isinstance(value, int):
        number = int(value)
        return number if -_PLAIN_INTEGER < number < _PLAIN_INTEGER else {"int": hex(number)}
    if isinstance(value, float):
        number_ = float(value)
        return number_ if math.isfinite(number_) else {"float": repr(number_)}
    if isinstance(value, list):
        return [pack(item) for item in value]
    return _pack_tagged(value)


def _pack_tagged(value: object) -> Packed:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, tuple):
        return {"tuple": [pack(item) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": [pack(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[pack(key), pack(content)] for key, content in value.items()]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, complex):
        return {"complex": [pack(value.real), pack(value.imag)]}
    raise TypeError(f"a value of type {type(value).__name__} cannot leave the sandbox")
