"""Which model answers a prompt at which temperature: the plan of a candidate set."""

import hashlib
from collections.abc import Sequence

from schemas.ids import unit_interval
from schemas.records import Record

# Seeds fit the positive half of 32 bits, which every model server takes.
_SEED_BITS = 31


class Draw(Record):
    """One answer to generate: ``ordinal`` counts from 1 (0 is the production answer)."""

    ordinal: int
    model: int
    temperature: float
    seed: int


def plan_draws(
    prompt_id: str,
    *,
    models: int,
    temperatures: Sequence[float],
    generated: int | None,
    seed: int,
) -> list[Draw]:
    """The draws for a prompt: ``generated`` cells of the grid models x temperatures.

    None = every cell once; more than that go round again with other seeds. Fewer begin at a cell
    that the prompt's hash chooses, so over many prompts each cell comes up alike. Neighbouring
    cells differ in model first. The same arguments always give the same plan.
    """
    cells = models * len(temperatures)
    if not cells:
        return []
    count = cells if generated is None else generated
    start = int(unit_interval("cell", str(seed), prompt_id) * cells) if count < cells else 0
    return [
        Draw(
            ordinal=index + 1,
            model=(start + index) % models,
            temperature=temperatures[(start + index) // models % len(temperatures)],
            seed=_seed(seed, prompt_id, index + 1),
        )
        for index in range(count)
    ]


def _seed(seed: int, prompt_id: str, ordinal: int) -> int:
    digest = hashlib.sha256(f"{seed}:{prompt_id}:{ordinal}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - _SEED_BITS)
