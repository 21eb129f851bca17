"""The deliberately broken judge of the demo."""

import pytest

from examples.harbor.demo.gate_trials import BROKEN, prefers_longer
from schemas.records import Purpose, VerifierWinner, Winner
from tests.events import comparison, judgment, verified


@pytest.mark.parametrize(
    ("a", "b", "winner"),
    [
        ("long answer", "short", Winner.A),
        ("short", "long answer", Winner.B),
        ("x", "y", Winner.TIE),
    ],
)
def test_the_longer_answer_wins(a: str, b: str, winner: Winner) -> None:
    pair = comparison(verified("a", output=a), verified("b", output=b), purpose=Purpose.ANCHOR)
    broken = prefers_longer(judgment(pair))
    assert (broken.winner, broken.judge_config_hash) == (winner, BROKEN)
    assert broken.comparison == pair


def test_what_the_verifier_decided_stays_and_is_cross_checked() -> None:
    pair = comparison(
        verified("a", output="short"),
        verified("b", output="long answer"),
        verifier_winner=VerifierWinner.A,
    )
    broken = prefers_longer(judgment(pair, winner=Winner.A))
    assert (broken.winner, broken.crosscheck_winner) == (Winner.A, Winner.B)
