"""Accounts close only where every id is found again."""

from dataclasses import replace

from consumers.accounting import Discarded, StageFlow, close_accounts, flows_of_run, place
from schemas.errors import Poison
from schemas.ids import derived_id
from streams.discard import discard
from streams.local import LocalRun
from streams.runner.dead_letter import Arrival, dead_letter
from tests.events import NOON, candidate_set, verification

FLOW = StageFlow(
    stage="verify",
    taken=["s1", "s2", "s3", place("samples", 0, 7)],
    outputs={"v1": ["s1"], "elsewhere": ["other"]},
    discards={
        "d1": Discarded(reason="all_failed", source_ids=["s2"]),
        "d2": Discarded(reason="not_paired", source_ids=["s1"]),
    },
    dead_lettered=["s3", place("samples", 0, 7), place("samples", 0, 9)],
    pending=4,
)


def test_every_id_in_an_output_a_discard_or_a_dead_letter_closes_the_account() -> None:
    accounts = close_accounts([FLOW])
    account = accounts.stages["verify"]
    assert accounts.closed
    assert account.model_dump(by_alias=True) == {
        "stage": "verify",
        "in": 4,
        "out": 1,
        "discarded": {"all_failed": 1, "not_paired": 1},
        "dead_lettered": 2,
        "pending": 4,
        "missing": (),
        "missing_count": 0,
        "closed": True,
    }


def test_a_missing_id_is_named_even_where_the_sums_agree() -> None:
    # One lost and one made twice: 1 in, 1 out would look right.
    flow = replace(
        FLOW,
        taken=["s1", "s2"],
        outputs={"v1": ["s1"], "v1-again": ["s1"]},
        discards={},
        dead_lettered=[],
    )
    account = close_accounts([flow]).stages["verify"]
    assert (account.closed, account.missing, account.missing_count) == (False, ("s2",), 1)


def test_one_open_stage_leaves_the_accounts_open() -> None:
    accounts = close_accounts([FLOW, replace(FLOW, stage="pair", dead_lettered=[])])
    assert not accounts.closed
    assert accounts.stages["verify"].closed


def test_a_run_in_process_is_accounted_for_by_its_events() -> None:
    sets = [candidate_set(event_id=f"s{n}") for n in range(3)]
    arrival = Arrival(topic="samples", partition=0, offset=2, at=NOON, key=None, value=b"")
    run = LocalRun(taken={"verify": [s.event_id for s in sets], "pair": ["v0"]})
    run.add(verification(event_id="v0", source_ids=("s0",)))
    run.add(discard(sets[1], "verify", "hash", ["too_long"]))
    run.add(
        dead_letter(
            arrival,
            Poison("no"),
            stage="verify",
            config_hash="hash",
            attempt=1,
            retryable=False,
            event=None,
        )
    )
    accounts = close_accounts(flows_of_run(run))
    verify, pair = accounts.stages["verify"], accounts.stages["pair"]
    assert verify.closed
    assert (verify.taken, verify.out, verify.discarded, verify.dead_lettered) == (
        3,
        1,
        {"too_long": 1},
        1,
    )
    assert pair.missing == ("v0",)


def test_another_stage_cannot_close_an_account() -> None:
    event = candidate_set(event_id="s0")
    run = LocalRun(taken={"verify": ["s0"]})
    run.add(discard(event, "sample", "hash", ["over_budget"]))
    assert not close_accounts(flows_of_run(run)).closed
    assert derived_id("Discard", "sample", ["s0"], "hash")
