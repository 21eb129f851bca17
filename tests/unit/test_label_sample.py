"""Which comparisons people are asked about: the judge's first, some of the verifiers', no more."""

from schemas.events import Judgment
from schemas.records import VerifierWinner
from streams.filter_rules import verifier_decided
from tests.events import comparison, judgment, verified
from trainer.label_sample import label_sample


def judged(name: str, by: VerifierWinner = VerifierWinner.NONE) -> Judgment:
    compared = comparison(verified("a"), verified("b"), event_id=name, verifier_winner=by)
    return judgment(compared, event_id=f"judgment of {name}")


JUDGES = [judged(f"judge-{n}") for n in range(60)]
VERIFIERS = [judged(f"verifier-{n}", VerifierWinner.A) for n in range(600)]


def kinds(sample_of: list[Judgment], most: int) -> tuple[int, int]:
    decided = {one.comparison.event_id for one in sample_of if verifier_decided(one)}
    names = [one.event_id for one in label_sample(sample_of, most)]
    assert len(names) == len(set(names))
    by_verifier = sum(name in decided for name in names)
    return len(names) - by_verifier, by_verifier


def test_all_that_the_judge_decided_and_verifiers_for_the_rest() -> None:
    assert kinds(JUDGES + VERIFIERS, 200) == (60, 140)


def test_a_quarter_is_the_verifiers_however_much_the_judge_decided() -> None:
    assert kinds(JUDGES + VERIFIERS, 60) == (45, 15)


def test_few_of_one_kind_leave_room_for_the_other() -> None:
    assert kinds(JUDGES[:5] + VERIFIERS, 200) == (5, 195)
    assert kinds(JUDGES + VERIFIERS[:3], 50) == (47, 3)


def test_fewer_than_asked_are_all() -> None:
    assert kinds(JUDGES[:5] + VERIFIERS[:4], 200) == (5, 4)
    assert label_sample([]) == []


def test_the_sample_does_not_hang_on_the_order_of_the_log() -> None:
    everything = JUDGES + VERIFIERS
    assert label_sample(everything, 100) == label_sample(everything[::-1], 100)
