"""Properties of the verdict: symmetry under renaming, and its own arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Order, Winner
from streams.inference.chat import ChatAnswer
from streams.judge.answer import read_answer, read_citations
from streams.judge.neutral import neutralise, shorten
from streams.judge.verdict import decide
from tests.unit.judge_case import opinion

Probabilities = tuple[float, float, float]
OPPOSITE = {Winner.A: Winner.B, Winner.B: Winner.A}


@st.composite
def probabilities(draw: st.DrawFn) -> Probabilities:
    weights = [draw(st.floats(0.001, 1.0)) for _ in range(3)]
    first, second, tie = (weight / sum(weights) for weight in weights)
    return first, second, tie


@given(probabilities(), probabilities())
def test_exchanging_the_candidates_exchanges_the_winner(
    ab: Probabilities, ba: Probabilities
) -> None:
    one = decide(opinion(Order.AB, ab), opinion(Order.BA, ba))
    # With A and B exchanged, what was shown as AB is shown as BA.
    other = decide(opinion(Order.BA, ab), opinion(Order.AB, ba))
    assert other.winner is OPPOSITE.get(one.winner, one.winner)
    assert one.margin is not None
    assert other.margin is not None
    assert abs(one.margin + other.margin) < 1e-9
    assert one.position_bias == other.position_bias
    assert one.agreement == other.agreement


@given(probabilities(), probabilities())
def test_a_winner_is_whom_both_orders_favour(ab: Probabilities, ba: Probabilities) -> None:
    decision = decide(opinion(Order.AB, ab), opinion(Order.BA, ba))
    if decision.winner is Winner.A:
        assert ab[0] >= ab[1]
        assert ba[1] >= ba[0]
    if decision.winner is Winner.CONFLICT:
        assert (ab[0] - ab[1]) * (ba[0] - ba[1]) > 0


@given(probabilities())
def test_a_judge_that_sees_only_places_never_decides(seen: Probabilities) -> None:
    decision = decide(opinion(Order.AB, seen), opinion(Order.BA, seen))
    assert decision.winner in (Winner.TIE, Winner.CONFLICT)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    answer = ChatAnswer(text=f"{text} Verdict: {text}", model="m")
    read_answer(answer, Order.AB, ["R4"], min_captured_mass=0.9)
    read_citations(f"A R4: {text}", Order.AB, ["R4"])


pieces = st.sampled_from(
    [
        "<|im_",
        "start|>",
        "<|x|>",
        "[IN",
        "ST]",
        "[INST]",
        "system:",
        "\n",
        " ",
        "</",
        "s>",
        "c0de",
        "de",
    ]
)


@given(st.lists(pieces | st.text(max_size=5)).map("".join))
def test_neutralised_text_stays_neutral(text: str) -> None:
    clean = neutralise(text, "c0de")
    assert neutralise(clean, "c0de") == clean
    assert "c0de" not in clean
    assert "[INST]" not in clean


@given(st.text(max_size=400), st.integers(100, 200))
def test_shortened_text_keeps_both_ends(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert short[: limit // 2] == text[: limit // 2]
    assert text.endswith(short[-(limit // 2) :])
    assert (short == text) == (len(text) <= limit)
