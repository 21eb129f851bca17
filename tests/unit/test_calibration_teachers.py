"""A teacher that was exchanged behind its name stops the gate."""

from collections.abc import Sequence

from consumers.calibration.teachers import TeacherWatch
from schemas.events import Judgment
from schemas.records import GateResult, Opinion, Order, Purpose, Verdict, Winner
from tests.events import comparison, judgment, verified

Teacher = tuple[str, str | None]
OLD: Teacher = ("judge-7b", "fp_1")
NEW: Teacher = ("judge-7b", "fp_2")


def judged(
    purpose: Purpose, *teachers: Teacher, judge: str = "hash", name: str = "measured"
) -> Judgment:
    opinions = tuple(
        Opinion(
            judge=name,
            prompt_version="1",
            prompt_sha256="s",
            order=order,
            answer=Winner.A,
            fingerprint=mark,
        )
        for name, mark in teachers
        for order in Order
    )
    judged = comparison(verified("a"), verified("b"), purpose=purpose)
    return judgment(judged, event_id=name, opinions=opinions, judge_config_hash=judge)


def teacher_gates(judgments: Sequence[Judgment]) -> dict[str, GateResult]:
    watch = TeacherWatch({"measured"})
    assert list(watch.through(judgments)) == judgments
    return watch.gates()


def test_the_teacher_that_judged_the_anchors_may_label() -> None:
    found = teacher_gates([judged(Purpose.ANCHOR, OLD), judged(Purpose.PRODUCTION, OLD)])
    assert found["hash"].verdict is Verdict.PASS


def test_another_fingerprint_behind_the_same_name_fails_and_both_are_named() -> None:
    found = teacher_gates(
        [
            judged(Purpose.PRODUCTION, NEW),
            judged(Purpose.ANCHOR, OLD),
            judged(Purpose.PRODUCTION, OLD),
        ]
    )["hash"]
    assert (found.verdict, found.value) == (Verdict.FAIL, 1)
    assert "judge-7b (fp_2), the calibration is of judge-7b (fp_1)" in found.detail


def test_anchors_that_nobody_measured_yet_calibrate_no_teacher() -> None:
    since = judged(Purpose.ANCHOR, NEW, name="since")
    found = teacher_gates([judged(Purpose.ANCHOR, OLD), since, judged(Purpose.PRODUCTION, NEW)])
    assert found["hash"].verdict is Verdict.FAIL


def test_another_version_of_the_model_is_another_teacher_without_any_fingerprint() -> None:
    old, new = ("judge-2026-01-01", None), ("judge-2026-06-01", None)
    found = teacher_gates([judged(Purpose.ANCHOR, old), judged(Purpose.PRODUCTION, new)])["hash"]
    assert found.verdict is Verdict.FAIL


def test_an_endpoint_with_several_fingerprints_is_known_by_all_that_judged_anchors() -> None:
    rows = [judged(Purpose.ANCHOR, OLD), judged(Purpose.ANCHOR, NEW)]
    found = teacher_gates([*rows, judged(Purpose.PRODUCTION, NEW)])
    assert found["hash"].verdict is Verdict.PASS


def test_other_configurations_probes_and_verifiers_say_nothing() -> None:
    found = teacher_gates(
        [
            judged(Purpose.ANCHOR, OLD),
            judged(Purpose.PROBE, NEW),
            judged(Purpose.PRODUCTION),
            judged(Purpose.PRODUCTION, NEW, judge="never calibrated"),
        ]
    )
    assert {hash_: one.verdict for hash_, one in found.items()} == {"hash": Verdict.PASS}
