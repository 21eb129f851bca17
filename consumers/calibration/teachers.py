"""Is the teacher that labelled the one that was calibrated? By who answered. Pure.

A judge configuration names its model; whoever serves it can put another one behind the name. Its
answers then say so: by the version in the model's name, or by a fingerprint of weights and back
end. What was calibrated are the teachers of the anchors that a calibration was measured on;
whatever another one labelled under the same judge_config_hash was measured by nobody.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from schemas.events import Judgment
from schemas.records import GateResult, Purpose, Verdict

Teacher = tuple[str, str | None]
"""The model's name and fingerprint as it answered."""


class TeacherWatch:
    """Who answered, of measured anchors and of production, by judge_config_hash.

    The times of events say when answers were given to people, not when they were judged, so they
    do not count here.
    """

    def __init__(self, measured: Container[str]) -> None:
        """``measured`` are the ids of the judgments that calibrations came from: anchors that were
        judged since then were measured by nobody yet.
        """
        self._measured = measured
        self._calibrated: dict[str, set[Teacher]] = defaultdict(set)
        self._used: dict[str, set[Teacher]] = defaultdict(set)

    def through(self, judgments: Iterable[Judgment]) -> Iterator[Judgment]:
        """The same judgments, each noted as it passes."""
        seen = {Purpose.ANCHOR: self._calibrated, Purpose.PRODUCTION: self._used}
        for judgment in judgments:
            purpose = judgment.comparison.purpose
            noted = seen.get(purpose)
            if purpose is Purpose.ANCHOR and judgment.event_id not in self._measured:
                noted = None
            if noted is not None and judgment.opinions:
                teachers = {(opinion.judge, opinion.fingerprint) for opinion in judgment.opinions}
                noted[judgment.judge_config_hash] |= teachers
            yield judgment

    def gates(self) -> dict[str, GateResult]:
        """For each configuration, whether every teacher of its production verdicts was calibrated.

        FAIL where one was not. A configuration without measured anchors is left out: nothing was
        calibrated, so nothing can have changed.
        """
        return {
            hash_: _gate(known, self._used[hash_])
            for hash_, known in sorted(self._calibrated.items())
        }


def _gate(calibrated: set[Teacher], used: set[Teacher]) -> GateResult:
    strangers = used - calibrated
    return GateResult(
        name="teacher_fingerprint",
        verdict=Verdict.FAIL if strangers else Verdict.PASS,
        value=len(strangers),
        threshold=0,
        detail=(
            f"rows were labelled by {_shown(strangers)}, the calibration is of "
            f"{_shown(calibrated)}; give the model a name of its own version in the project, and "
            "calibrate that"
            if strangers
            else ""
        ),
    )


def _shown(teachers: Iterable[Teacher]) -> str:
    names = (f"{model} ({mark})" if mark else model for model, mark in teachers)
    return ", ".join(sorted(names))
