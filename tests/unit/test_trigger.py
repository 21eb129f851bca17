"""When to train: each reason, and what holds it back."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from consumers.trigger.decide import Before, Decision, Seen, decide
from consumers.trigger.rate import Rate, rise
from consumers.trigger.settings import TriggerSettings
from consumers.trigger.watch import observed
from schemas.events import Event, Feedback
from schemas.interval import two_sided_z
from schemas.records import (
    FeedbackKind,
    Outcome,
    Purpose,
    Verdict,
    Winner,
)
from tests.events import NOON, judgment, verification, verified

SETTINGS = TriggerSettings(min_new_pairs=100, least_pairs=10, settle_minutes=0)
LATER = NOON + timedelta(hours=3)


def made(seen: Seen, log: Before | None = None, **changes: float) -> Decision:
    settings = SETTINGS.model_copy(update=changes)
    return decide(seen, log or Before(trained_at=NOON), settings, LATER, None)


def test_nothing_new_is_no_reason_and_says_so() -> None:
    decision = made(Seen(new_pairs=0))
    assert not decision.train
    assert decision.detail == "no reason to train"
    assert {gate.name for gate in decision.gates} >= {"new_pairs", "age_days", "least_pairs"}


def test_enough_new_pairs_are_enough() -> None:
    assert not made(Seen(new_pairs=99)).train
    decision = made(Seen(new_pairs=100))
    assert decision.train
    assert decision.detail == "new_pairs: 100 new pairs"


def test_age_trains_only_on_something_new() -> None:
    old = Before(trained_at=LATER - timedelta(days=8))
    assert made(Seen(new_pairs=10), old).train
    held = made(Seen(new_pairs=9), old)
    assert not held.train
    assert "9 new pairs of 10" in held.detail


def test_a_new_rubric_is_a_reason_but_the_first_one_is_none() -> None:
    seen = Seen(new_pairs=10, rubrics=frozenset({"1", "2"}))
    log = Before(trained_at=NOON, rubrics=frozenset({"1"}))
    assert "new rubric versions: 2" in made(seen, log).detail
    assert not made(seen, Before(trained_at=NOON)).train


@pytest.mark.parametrize("name", ["failures", "conflicts", "complaints"])
def test_a_sure_and_large_rise_is_drift(name: str) -> None:
    def drifted(count: int, n: int) -> bool:
        seen = Seen(new_pairs=10, rates={name: Rate(n=n, count=count)})
        rates: Mapping[str, Rate] = {name: Rate(n=1000, count=100)}
        return made(seen, Before(trained_at=NOON, rates=rates)).train

    assert drifted(200, 1000)
    assert not drifted(140, 1000)
    assert not drifted(80, 1000)
    # a fifth of 100 events may be chance, and is too little to tell
    assert not drifted(20, 100)


def test_a_request_waits_for_nothing() -> None:
    log = Before(trained_at=LATER, triggered_at=LATER, requested="new labels")
    decision = made(Seen(new_pairs=0), log, settle_minutes=60)
    assert decision.train
    assert decision.detail == "requested: new labels"


def test_a_reason_must_settle() -> None:
    seen, log = Seen(new_pairs=100), Before()
    settings = SETTINGS.model_copy(update={"settle_minutes": 5})
    first = decide(seen, log, settings, NOON, None)
    assert not first.train
    assert first.due_since == NOON
    later = NOON + timedelta(minutes=5)
    assert decide(seen, log, settings, later, first.due_since).train
    gone = decide(Seen(new_pairs=0), log, settings, later, first.due_since)
    assert gone.due_since is None


def test_trainings_keep_their_distance_and_a_refused_one_keeps_more() -> None:
    def after(minutes: float, *, trained: bool) -> bool:
        log = Before(triggered_at=LATER - timedelta(minutes=minutes), trained=trained)
        return made(Seen(new_pairs=100), log).train

    assert not after(59, trained=True)
    assert after(60, trained=True)
    assert not after(60, trained=False)
    assert after(720, trained=False)


def test_the_rise_of_a_share_has_newcombes_interval() -> None:
    # Newcombe 1998, table II, method 10, (a): 56/70 - 48/80
    found = rise(Rate(n=80, count=48), Rate(n=70, count=56), two_sided_z())
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=5e-5)
    assert found.high == pytest.approx(0.3339, abs=5e-5)
    assert rise(Rate(), Rate(n=3, count=1)) is None


def thumb(value: float, kind: FeedbackKind = FeedbackKind.THUMB) -> Event:
    return Feedback(
        event_id="f",
        occurred_at=NOON,
        workload_id="shop",
        config_hash="",
        completion_id="c",
        prompt_id="p",
        kind=kind,
        value=value,
    )


@pytest.mark.parametrize(
    ("event", "adds"),
    [
        (
            verification(
                verified("a", Outcome.FAILED),
                verified("b", Outcome.PASSED),
                verified("c", Outcome.UNDECIDED),
            ),
            [True, False],
        ),
        (verification(verified("a", Outcome.FAILED), purpose=Purpose.ANCHOR), []),
        (judgment(winner=Winner.A, crosscheck_winner=Winner.B), [True]),
        (judgment(winner=Winner.A, crosscheck_winner=Winner.A), [False]),
        (judgment(winner=Winner.A, crosscheck_winner=Winner.TIE), []),
        (judgment(winner=Winner.A), []),
        (thumb(-1), [True]),
        (thumb(1), [False]),
        (thumb(3, FeedbackKind.RATING), []),
    ],
)
def test_what_an_event_adds_to_its_rate(event: Event, adds: list[bool]) -> None:
    assert observed(event) == adds


def test_every_number_is_a_gate() -> None:
    decision = made(Seen(new_pairs=120))
    shown = {gate.name: (gate.value, gate.threshold, gate.verdict) for gate in decision.gates}
    assert shown["new_pairs"] == (120, 100, Verdict.PASS)
    assert shown["least_pairs"] == (120, 10, Verdict.PASS)
