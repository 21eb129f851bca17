"""The in-process runner: chains, order, accounts, and what stops it."""

import pytest

from schemas.errors import ConfigError, Fatal
from schemas.events import CandidateSet, Event
from streams.local import run_local
from streams.pair import PairSettings, PairStage
from streams.runner.attempt import Patience
from streams.runner.poison import PoisonLimit
from streams.runner.retry import RetryPolicy
from tests.events import candidate, candidate_set, completion
from tests.faults.tiny_stage import TinyStage
from tests.faults.tiny_stream import scripted

QUICK = Patience(policy=RetryPolicy(max_attempts=2, first_wait_s=0.001))


def pair_of(n: int) -> CandidateSet:
    return candidate_set(
        candidate(f"a{n}", f"first {n}"),
        candidate(f"b{n}", "another answer altogether"),
        event_id=f"set-{n}",
        prompt_id=f"prompt-{n}",
    )


async def test_outputs_pass_on_to_the_stage_that_takes_them() -> None:
    run = await run_local([TinyStage(), PairStage(PairSettings())], [pair_of(n) for n in range(5)])
    assert len(run.outputs["verifications"]) == 5
    assert len(run.outputs["comparisons"]) == 5
    assert run.taken["pair"] != []
    assert run.unaccounted() == {}


@pytest.mark.parametrize("concurrency", [1, 3, 50])
async def test_outputs_keep_the_order_of_the_inputs(concurrency: int) -> None:
    fed = [scripted(f"set-{n}", f"slow:{0.003 * (n % 3)}") for n in range(20)]
    seen: list[Event] = []
    run = await run_local([TinyStage()], fed, concurrency, seen.append)
    made = run.outputs["verifications"]
    assert [e.source_ids[0] for e in made] == [e.event_id for e in fed]
    assert seen == made


async def test_the_first_of_an_id_wins() -> None:
    first = candidate_set(candidate("a", "yes"), event_id="set")
    second = candidate_set(candidate("a", "no"), event_id="set")
    run = await run_local([TinyStage()], [first, second])
    (kept,) = run.outputs["verifications"]
    assert "yes" in kept.model_dump_json()


async def test_dead_letters_close_the_account() -> None:
    fed = [scripted("poison", "poison"), scripted("tired", "transient"), scripted("good")]
    run = await run_local([TinyStage()], fed, patience=QUICK)
    assert [(e.source_ids, e.retryable) for e in run.dead_letters] == [
        (("poison",), False),
        (("tired",), True),
    ]
    assert run.unaccounted() == {}


async def test_mostly_poison_stops_the_run() -> None:
    fed = [scripted(f"set-{n}", "poison") for n in range(30)]
    with pytest.raises(Fatal, match="10 of the last 10"):
        await run_local([TinyStage()], fed, poison=PoisonLimit(min_poison=10))


async def test_a_fatal_stops_the_run() -> None:
    with pytest.raises(Fatal, match="renew it"):
        await run_local([TinyStage()], [scripted("good"), scripted("fatal", "fatal")])


async def test_an_event_that_no_stage_takes_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes a Completion"):
        await run_local([TinyStage()], [completion()])
