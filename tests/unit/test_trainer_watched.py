"""What was seen since the calibration decides too: drift, and a policy that the judge never saw."""

from datetime import timedelta

import pytest

from schemas.events import Run
from schemas.records import GateResult, PreferenceSource, RunStatus, Verdict
from tests.events import NOON
from tests.preferences import calibration
from trainer.gate import GateDecision, gate
from trainer.gate_settings import GateSettings
from trainer.watched import Watched, serving

NOW = NOON + timedelta(days=1)


def run(status: RunStatus, days: int = 0, run_id: str = "run", **changes: str) -> Run:
    return Run(
        event_id=f"{status} {days}",
        occurred_at=NOON + timedelta(days=days),
        workload_id="shop",
        config_hash="c",
        run_id=run_id,
        status=status,
        manifest_hash="m",
        algorithm="dpo",
        **changes,
    )


def decide(watched: Watched, checkpoints: dict[str, int] | None = None) -> GateDecision:
    one = calibration(checkpoints=checkpoints or {})
    return gate({PreferenceSource.RLAIF: ["jc"]}, [one], GateSettings(), NOW, watched=watched)


def drift(verdict: Verdict) -> Watched:
    return Watched(by_judge={"jc": (GateResult(name="drift", verdict=verdict),)})


def test_a_judge_that_drifted_is_demoted() -> None:
    decision = decide(drift(Verdict.FAIL))
    assert (decision.verdict, decision.demoted) == (Verdict.FAIL, ("jc",))
    assert decide(drift(Verdict.PASS)).verdict is Verdict.PASS


def test_without_probes_the_gate_says_that_nobody_watches() -> None:
    decision = decide(Watched())
    assert decision.verdict is Verdict.PASS
    assert "not watched" in next(one.detail for one in decision.reported if one.name == "drift")


def test_another_judges_drift_does_not_matter() -> None:
    other = Watched(by_judge={"other": (GateResult(name="drift", verdict=Verdict.FAIL),)})
    assert decide(other).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("checkpoints", "verdict"),
    [
        ({"old": 700}, Verdict.INCONCLUSIVE),
        ({"old": 700, "f00": 49}, Verdict.INCONCLUSIVE),
        ({"old": 600, "f00": 50}, Verdict.PASS),
        ({"v2": 60}, Verdict.PASS),
        ({}, Verdict.INCONCLUSIVE),
    ],
)
def test_a_promoted_policy_asks_for_anchors_of_its_own(
    checkpoints: dict[str, int], verdict: Verdict
) -> None:
    promoted = run(RunStatus.PROMOTED, checkpoint="/models/v2", fingerprint="f00")
    decision = decide(Watched(promoted=promoted), checkpoints)
    found = next(one for one in decision.results if one.name == "policy_anchors")
    assert found.verdict is verdict is decision.verdict


def test_a_way_back_makes_the_promotion_before_it_serve_again() -> None:
    first, second = run(RunStatus.PROMOTED, 1), run(RunStatus.PROMOTED, 3)
    back = run(RunStatus.ROLLED_BACK, 4)
    others = [run(RunStatus.TRAINED, 5), run(RunStatus.CLEARED, 6)]
    assert serving([second, *others, first]) == second
    assert serving([back, second, *others, first]) == first
    assert serving([back, second]) is None
    assert serving(others) is None


def test_a_promotion_that_was_told_twice_is_taken_back_once() -> None:
    """As by `prefstream promote` of what serves already."""
    first, second = run(RunStatus.PROMOTED, 1), run(RunStatus.PROMOTED, 3, "second")
    assert serving([first, second, second, run(RunStatus.ROLLED_BACK, 4, "second")]) == first


def test_a_way_back_from_what_nobody_told_of_takes_no_other_away() -> None:
    """The alias had moved, and whoever moved it was killed."""
    first = run(RunStatus.PROMOTED, 1)
    assert serving([first, run(RunStatus.ROLLED_BACK, 4, "untold")]) == first


def test_a_judge_that_falls_below_is_demoted_and_one_that_never_stood_is_not() -> None:
    good = calibration()
    fallen = calibration(
        event_id="later",
        occurred_at=NOON + timedelta(hours=1),
        kappa=0.6,
        lower_bound=0.55,
        upper_bound=0.65,
    )
    hashes = {PreferenceSource.RLAIF: ["jc"]}
    assert gate(hashes, [good, fallen], GateSettings(), NOW).demoted == ("jc",)
    assert gate(hashes, [fallen], GateSettings(), NOW).demoted == ()
