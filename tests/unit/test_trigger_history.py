"""What the log of runs says to a trainer: what was trained on, and what has no end yet."""

from datetime import datetime, timedelta

import pytest

from consumers.trigger.decide import Before
from consumers.trigger.history import (
    LOST,
    before,
    consumed,
    decided,
    missing_ends,
    unpromoted,
)
from consumers.trigger.rate import Rate
from schemas.events import Run
from schemas.records import OffsetRange, RunStatus
from tests.events import NOON
from tests.promotions import run

LATER = NOON + timedelta(hours=3)


def told(status: RunStatus, at: datetime, **changes: object) -> Run:
    return run("x", status, occurred_at=at, event_id=f"{status} {at}", **changes)


HELD = (OffsetRange(topic="preferences", topic_uuid="u", partition=0, first=0, last=9),)


def test_the_log_says_what_was_trained_and_when() -> None:
    rates = {"failures": Rate(n=300, count=30)}
    triggered = decided(
        "shop", RunStatus.TRIGGERED, NOON, rates=rates, rubrics=["1"], ranges=HELD, epoch=4
    )
    trained = told(RunStatus.TRAINED, LATER, offset_ranges=HELD, epoch=4)
    found = before([triggered, trained])
    assert found == Before(
        trained_at=LATER,
        triggered_at=NOON,
        trained=True,
        rubrics=frozenset({"1"}),
        rates=rates,
    )
    assert consumed([triggered, trained]) == HELD
    assert consumed([triggered]) == ()
    assert not before([triggered, told(RunStatus.REFUSED, LATER)]).trained


@pytest.mark.parametrize("end", [RunStatus.REFUSED, RunStatus.FAILED])
def test_a_training_that_was_refused_leaves_its_reasons_standing(end: RunStatus) -> None:
    """A new rubric's judge is mostly refused first: nobody has calibrated it yet."""

    def decision(hours: int, failed: int, *rubrics: str) -> Run:
        rates = {"failures": Rate(n=300, count=failed)}
        at = NOON + timedelta(hours=hours)
        return decided("shop", RunStatus.TRIGGERED, at, rates=rates, rubrics=rubrics, epoch=4)

    trained = told(RunStatus.TRAINED, NOON + timedelta(hours=1), epoch=4)
    refused = run("y", end, epoch=4)
    log = [decision(0, 30, "1"), trained, decision(2, 90, "1", "2"), refused]
    found = before(log)
    assert found.rubrics == {"1"}
    assert found.rates == {"failures": Rate(n=300, count=30)}
    again = run("z", RunStatus.TRAINED, epoch=4)
    found = before([*log, decision(4, 80, "1", "2"), again])
    assert found.rubrics == {"1", "2"}
    assert found.rates == {"failures": Rate(n=300, count=80)}


def test_a_training_on_an_older_range_makes_no_pair_new_again() -> None:
    (held,) = HELD
    older = (
        held.model_copy(update={"last": 4}),
        held.model_copy(update={"partition": 1, "first": 3, "last": 7}),
    )
    runs = [
        told(RunStatus.TRAINED, at, offset_ranges=ranges)
        for at, ranges in ((NOON, HELD), (LATER, older))
    ]
    assert set(consumed(runs)) == {held, older[1]}


@pytest.mark.parametrize("other", [{"ungated": True}, {"trial": True}, {"algorithm": "reward"}])
def test_a_baseline_or_a_reward_model_uses_up_no_pairs(other: dict[str, object]) -> None:
    trained = told(RunStatus.TRAINED, LATER, offset_ranges=HELD, **other)
    assert consumed([trained]) == ()
    assert before([trained]).trained_at is None


def test_before_any_training_rates_are_compared_with_the_first_watch() -> None:
    first, second = (
        decided("shop", RunStatus.LEADING, at, rates={"failures": Rate(n=300, count=count)})
        for at, count in ((NOON, 30), (LATER, 90))
    )
    assert before([first, second]).rates == {"failures": Rate(n=300, count=30)}


def test_a_request_counts_until_a_training_follows() -> None:
    asked = decided("shop", RunStatus.REQUESTED, NOON, detail="new labels")
    assert before([asked]).requested == "new labels"
    triggered = decided("shop", RunStatus.TRIGGERED, LATER)
    assert before([asked, triggered]).requested is None


def ends(log: list[Run]) -> list[Run]:
    return list(missing_ends(log, "shop", 9, LATER))


def test_a_run_whose_trainer_was_killed_is_ended_by_the_next_and_need_not_wait() -> None:
    triggered = decided("shop", RunStatus.TRIGGERED, NOON, epoch=4)
    started = told(RunStatus.STARTED, NOON, epoch=4)
    by_hand = run("y", RunStatus.STARTED)
    log = [triggered, started, by_hand]
    (ended,) = ends(log)
    assert (ended.status, ended.detail, ended.run_id) == (RunStatus.FAILED, LOST, started.run_id)
    assert ends([*log, ended]) == []
    assert before([*log, ended]).triggered_at is None


def test_a_decision_that_nothing_came_of_has_an_end_too() -> None:
    triggered = decided("shop", RunStatus.TRIGGERED, NOON, epoch=4)
    (ended,) = ends([triggered])
    assert (ended.status, ended.epoch) == (RunStatus.FAILED, 9)
    assert ends([triggered, ended]) == []
    assert ends([triggered, told(RunStatus.REFUSED, LATER, epoch=4)]) == []
    # what a person began meanwhile is no end of it
    assert ends([triggered, run("y", RunStatus.STARTED)]) == [ended]
    assert ends([]) == []


TRIGGERED = decided("shop", RunStatus.TRIGGERED, NOON, epoch=4)
TRAINED = told(RunStatus.TRAINED, NOON, offset_ranges=HELD, epoch=4)
MADE = [TRIGGERED, told(RunStatus.STARTED, NOON, epoch=4), TRAINED]
UNPROMOTED = (RunStatus.TRAINED, RunStatus.EVALUATED, RunStatus.CLEARED)


def took_over(epoch: int) -> Run:
    return decided("shop", RunStatus.LEADING, NOON + timedelta(minutes=epoch), epoch=epoch)


@pytest.mark.parametrize("status", UNPROMOTED)
def test_a_policy_that_nobody_judged_or_let_serve_is_to_be_promoted(status: RunStatus) -> None:
    last = told(status, LATER, epoch=4)
    assert unpromoted([*MADE, last], 9) == last
    assert ends([*MADE, last]) == []


@pytest.mark.parametrize(
    "status",
    [RunStatus.PROMOTED, RunStatus.WITHHELD, RunStatus.ROLLED_BACK, RunStatus.FAILED],
)
def test_a_policy_of_which_that_is_known_is_not(status: RunStatus) -> None:
    log = [*MADE, told(status, LATER, epoch=4)]
    assert unpromoted(log, 9) is None
    assert ends(log) == []


@pytest.mark.parametrize(
    "other", [{"epoch": None}, {"epoch": 10}, {"ungated": True}, {"trial": True}]
)
def test_what_a_person_or_a_later_trainer_made_is_theirs(other: dict[str, object]) -> None:
    log = [told(RunStatus.TRAINED, NOON, **({"epoch": 4} | other))]
    assert unpromoted(log, 9) is None


def test_what_a_person_began_to_promote_is_theirs() -> None:
    assert unpromoted([TRAINED, told(RunStatus.CLEARED, LATER, epoch=None)], 9) is None


def test_a_promotion_that_fails_again_is_told_and_not_tried_again() -> None:
    (ended,) = missing_ends(MADE, "shop", 9, LATER, "the judge is down", tried=TRAINED.run_id)
    assert (ended.status, ended.detail) == (RunStatus.FAILED, "the judge is down")
    assert ended.run_id == TRAINED.run_id
    assert unpromoted([*MADE, ended], 9) is None
    assert ends([*MADE, ended]) == []


def test_a_promotion_that_takes_its_trainers_with_it_is_given_up() -> None:
    log = [*MADE, *map(took_over, (5, 6, 7))]
    assert unpromoted(log, 9) == TRAINED
    log.append(took_over(8))
    assert unpromoted(log, 9) is None
    (ended,) = ends(log)
    assert (ended.status, ended.run_id) == (RunStatus.FAILED, TRAINED.run_id)


def test_only_the_last_training_is_promoted() -> None:
    newer = run("y", RunStatus.TRAINED, epoch=5)
    assert unpromoted([TRAINED, newer], 9) == newer
    (ended,) = ends([TRAINED, newer])
    assert ended.run_id == TRAINED.run_id


@pytest.mark.parametrize("why", ["the judge is down", LOST])
def test_pairs_of_a_policy_that_could_not_be_judged_are_not_used_up(why: str) -> None:
    log = [*MADE, told(RunStatus.FAILED, LATER, detail=why, epoch=9)]
    assert consumed(log) == ()
    found = before(log)
    assert found.trained_at is None
    # the next training waits as after one that failed
    assert (found.triggered_at, found.trained) == (NOON, False)
    by_hand = told(RunStatus.PROMOTED, LATER)
    assert consumed([*log, by_hand]) == HELD
