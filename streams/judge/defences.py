"""What stands between a candidate's text and the judge."""

from typing import Final

from schemas.records import Record


class Defences(Record):
    """All on. Each can be left off to measure what it is worth (bench/attack_defences.py)."""

    nonce: bool = True
    """Delimiters with a code that nobody outside can write. Off: the same code for every call."""

    neutralise: bool = True
    """Template tokens, role headers and invisible characters are taken out of the data."""

    repeat_instruction: bool = True
    """What to write stands after the data, with a word on ignoring it. Off: before the data."""


ALL_DEFENCES: Final = Defences()
