"""Probes in live traffic against the calibration, and what the pages say of the judge."""

from datetime import timedelta

import pytest

from consumers.anchors.probes import probes
from consumers.calibration.judge_notice import judge_notice
from consumers.calibration.probe_watch import drift_gates, probe_outcomes
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Comparison, Judgment
from schemas.records import GateResult, HumanWinner, Purpose, Verdict, VerifierWinner, Winner
from tests.events import NOON, comparison, judgment, verified
from tests.preferences import calibration, labels_of

SHARES = SplitShares()
DEMOTED = 0.65
A, B = HumanWinner.A, HumanWinner.B


def anchor(n: int, **changes: object) -> Comparison:
    name = f"prompt-{n}"
    fields = {"event_id": f"anchor {n}", "prompt_id": name, "purpose": Purpose.ANCHOR}
    return comparison(verified(f"{name}-a"), verified(f"{name}-b"), **(fields | changes))


def probed(n: int, winner: Winner, minutes: int) -> Judgment:
    one = anchor(n, event_id=f"probe {minutes}", purpose=Purpose.PROBE)
    return judgment(
        one,
        event_id=f"judgment {minutes}",
        prompt_id=one.prompt_id,
        winner=winner,
        occurred_at=NOON + timedelta(minutes=minutes),
    )


def drift(verdicts: list[Winner], **changes: object) -> GateResult | None:
    """The gate over these verdicts on probes that people call A, one a minute after noon."""
    labels = [each for n in range(len(verdicts)) for each in labels_of(anchor(n))]
    judgments = [probed(n, winner, n + 1) for n, winner in enumerate(verdicts)]
    outcomes = probe_outcomes(reversed(judgments), labels)
    fields = {"observed_agreement": 0.92, "kappa": 0.84} | changes
    return drift_gates([calibration(**fields)], outcomes, DEMOTED).get("jc")


def test_a_judge_that_agrees_as_before_passes() -> None:
    found = drift([Winner.A] * 60 + [Winner.B] * 3 + [Winner.A] * 40)
    assert found is not None
    assert (found.verdict, found.name) == (Verdict.PASS, "drift")
    assert "103 probes since the calibration, 3 disagree" in found.detail


def test_a_judge_that_changed_fails_and_says_since_when() -> None:
    found = drift([Winner.A] * 60 + [Winner.B, Winner.A] * 20)
    assert found is not None
    assert found.verdict is Verdict.FAIL
    assert "since about 2026-11-01 13:01 UTC" in found.detail


def test_abstentions_say_nothing_and_a_failure_to_parse_disagrees() -> None:
    found = drift([Winner.TIE, Winner.CONFLICT, Winner.INVALID, Winner.A])
    assert found is not None
    assert "2 probes since the calibration, 1 disagree" in found.detail


def test_probes_before_the_calibration_or_of_no_verdict_do_not_count() -> None:
    assert drift([Winner.B] * 30, occurred_at=NOON + timedelta(days=1)) is None
    assert drift([]) is None
    unlabelled = probe_outcomes([probed(1, Winner.A, 1)], [])
    assert unlabelled == {}


def test_a_judge_that_never_erred_can_be_watched() -> None:
    found = drift([Winner.A] * 30 + [Winner.B], observed_agreement=1.0, kappa=1.0)
    assert found is not None
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("changes", [{"kappa": None}, {"kappa": 0.5, "observed_agreement": 0.75}])
def test_a_judge_without_height_to_fall_from_is_left_to_the_other_rules(
    changes: dict[str, object],
) -> None:
    assert drift([Winner.B] * 30, **changes) is None


def calibrated_anchors(n: int) -> list[Comparison]:
    of = [k for k in range(200) if split_of(f"prompt-{k}", SHARES) is Split.CALIBRATION]
    return [anchor(k) for k in of[:n]]


def test_probes_are_decided_anchors_of_the_calibration_split_drawn_anew_each_time() -> None:
    able = calibrated_anchors(20)
    locked = next(k for k in range(200) if split_of(f"prompt-{k}", SHARES) is Split.HOLDOUT)
    tie, open_ = anchor(900, prompt_id=able[0].prompt_id), anchor(901)
    decided = able[1].model_copy(update={"verifier_winner": VerifierWinner.A})
    others = [anchor(locked), tie, open_]
    labels = [each for one in [*able, anchor(locked)] for each in labels_of(one)]
    labels += labels_of(tie, HumanWinner.TIE)
    first = probes([*able[2:], decided, *others], labels, 5, NOON, SHARES)
    again = probes([*able[2:], decided, *others], labels, 5, NOON, SHARES)
    later = probes(able[2:], labels, 5, NOON + timedelta(hours=1), SHARES)
    assert first == again
    assert {one.source_ids[0] for one in first} <= {one.event_id for one in able[2:]}
    assert {one.event_id for one in first}.isdisjoint(one.event_id for one in later)
    assert {one.purpose for one in first} == {Purpose.PROBE}
    assert len(probes(able, labels, 500, NOON, SHARES)) == 20


def result(name: str, verdict: Verdict) -> GateResult:
    return GateResult(name=name, verdict=verdict, value=0.61, threshold=0.65)


def test_the_pages_say_why_nothing_of_the_judge_reaches_the_trainer() -> None:
    fine, bad = result("coverage", Verdict.PASS), result("kappa", Verdict.FAIL)
    unclear = result("anchors", Verdict.INCONCLUSIVE)
    assert judge_notice("jc", [fine], demoted=False) is None
    demoted = judge_notice("jc", [fine, bad, unclear], demoted=True) or ""
    assert demoted.startswith("Judge jc is demoted: kappa 0.61 against 0.65. No new preference")
    assert "does not pass" in (judge_notice("jc", [bad], demoted=False) or "")
    assert "not cleared yet: anchors" in (judge_notice("jc", [unclear], demoted=False) or "")
