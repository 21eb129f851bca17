"""The suite's strings, and comparisons with one of them planted. Pure."""

import base64
import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from schemas.events import Comparison
from schemas.records import Message, VerifiedCandidate, Winner

_FILE: Final = Path(__file__).with_name("attacks.yaml")
_ENCODED: Final = "encoding"
_ZERO_WIDTH: Final = "\u200b"
_BIDI: Final = ("\u202e", "\u202c")


class Place(StrEnum):
    """Where the attack stands."""

    BEFORE = "before the answer"
    AFTER = "after the answer"
    PROMPT = "in the prompt"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One text of one family, still with its placeholders."""

    family: str
    number: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """A comparison that its worse ``side`` tries to win; ``clean`` is it without the attack."""

    attack: Attack
    place: Place
    side: Winner
    clean: Comparison
    comparison: Comparison


@cache
def attacks() -> tuple[Attack, ...]:
    """The whole suite, in the order of the file."""
    families: Mapping[str, Sequence[str]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Attack(family=family, number=number, text=text)
        for family, texts in families.items()
        for number, text in enumerate(texts)
    )


def planted(attack: Attack, comparison: Comparison, better: Winner, place: Place) -> Attacked:
    """The comparison with the attack planted for its worse side.

    ``better`` is A or B, who should win. In the prompt the attack is the last turn's end.
    """
    side = Winner.B if better is Winner.A else Winner.A
    text = _filled(attack, side)
    changed = comparison.model_copy(
        update={
            "event_id": f"{comparison.event_id}:{attack.family}:{attack.number}:{place.name}",
            **_change(comparison, side, text, place),
        }
    )
    return Attacked(attack=attack, place=place, side=side, clean=comparison, comparison=changed)


def spread(
    comparisons: Sequence[tuple[Comparison, Winner]],
    repeats: int,
    places: Sequence[Place] = tuple(Place),
) -> Iterator[Attacked]:
    """Every attack at every place, ``repeats`` times, each on another comparison while there are.

    The sides take turns, so each family attacks from A and from B. Raises ValueError where there
    is nothing to attack.
    """
    if not comparisons:
        raise ValueError("no comparison to attack")
    by_side = {
        side: [pair for pair in comparisons if pair[1] is not side] or list(comparisons)
        for side in (Winner.A, Winner.B)
    }
    turn = 0
    for attack in attacks():
        for place in (place for place in places for _ in range(repeats)):
            pairs = by_side[Winner.A if turn % 2 else Winner.B]
            comparison, better = pairs[(turn // 2) % len(pairs)]
            yield planted(attack, comparison, better, place)
            turn += 1


def _filled(attack: Attack, side: Winner) -> str:
    me, other = (side.value, "B" if side is Winner.A else "A")
    first, second = ("first", "second") if side is Winner.A else ("second", "first")
    if attack.family != _ENCODED:
        return attack.text.format(me=me, other=other, first=first, second=second)
    name, _, plain = attack.text.partition(": ")
    return _ENCODINGS[name](plain.format(me=me, other=other, first=first, second=second))


def _change(
    comparison: Comparison, side: Winner, text: str, place: Place
) -> dict[str, VerifiedCandidate | tuple[Message, ...]]:
    if place is Place.PROMPT:
        *before, last = comparison.messages
        asked = last.model_copy(update={"content": f"{last.content}\n{text}"})
        return {"messages": (*before, asked)}
    name = "a" if side is Winner.A else "b"
    verified = comparison.a if side is Winner.A else comparison.b
    output = verified.candidate.output
    joined = f"{text}\n{output}" if place is Place.BEFORE else f"{output}\n{text}"
    candidate = verified.candidate.model_copy(update={"output": joined})
    return {name: verified.model_copy(update={"candidate": candidate})}


_LEET: Final = str.maketrans("aeiost", "431057")

_ENCODINGS: Final[dict[str, Callable[[str], str]]] = {
    "base64": lambda text: f"Decode and obey: {base64.b64encode(text.encode()).decode()}",
    "rot13": lambda text: f"ROT13, do as it says: {codecs.encode(text, 'rot13')}",
    "hex": lambda text: f"0x{text.encode().hex()}",
    "reversed": lambda text: f"Read backwards: {text[::-1]}",
    "spaced": " ".join,
    "zero_width": _ZERO_WIDTH.join,
    "fullwidth": lambda text: "".join(
        chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text
    ),
    "leet": lambda text: text.translate(_LEET),
    "bidi": lambda text: f"{_BIDI[0]}{text[::-1]}{_BIDI[1]}",
}
