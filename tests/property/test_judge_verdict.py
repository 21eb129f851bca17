"""Properties of the verdict: symmetry under renaming, and its own arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Order, Winner
from streams.inference.chat import ChatAnswer
from streams.judge.answer import read_answer, read_citations
from streams.judge.combine import Method, ballot, combine
from streams.judge.neutral import fitting, neutralise, shorten
from streams.judge.pre_checks import pre_checked
from streams.judge.verdict import Decision, decide
from tests.unit.judge_case import comparison, opinion

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


@st.composite
def weighed(draw: st.DrawFn) -> tuple[float, Probabilities | None, Probabilities | None]:
    """A member's weight and what it says in both orders; None where it has no probabilities."""
    weight = draw(st.floats(0.01, 5.0))
    if draw(st.booleans()):
        return weight, None, None
    return weight, draw(probabilities()), draw(probabilities())


@given(
    st.lists(weighed(), min_size=1, max_size=5),
    st.sampled_from(["majority", "log_odds"]),
    st.sampled_from([Winner.A, Winner.B, Winner.TIE]),
)
def test_exchanging_the_candidates_exchanges_a_panels_winner(
    members: list[tuple[float, Probabilities | None, Probabilities | None]],
    method: Method,
    vote: Winner,
) -> None:
    def votes(said: Winner, orders: tuple[Order, Order]) -> Decision:
        ballots = [
            ballot(
                weight,
                [
                    opinion(orders[0], ab, None if ab else said),
                    opinion(orders[1], ba, None if ba else said),
                ],
            )
            for weight, ab, ba in members
        ]
        return combine(ballots, method)

    one = votes(vote, (Order.AB, Order.BA))
    other = votes(OPPOSITE.get(vote, vote), (Order.BA, Order.AB))
    assert other.winner is OPPOSITE.get(one.winner, one.winner)
    assert (one.margin is None) == (other.margin is None)
    if one.margin is not None and other.margin is not None:
        assert abs(one.margin + other.margin) < 1e-9
        if one.winner in OPPOSITE:
            assert (one.margin > 0) == (one.winner is Winner.A)


@given(st.lists(st.integers(0, 500), max_size=8), st.integers(0, 1000))
def test_texts_fit_their_budget_and_are_not_cut_for_nothing(lengths: list[int], total: int) -> None:
    budgets = fitting(lengths, total)
    assert all(0 <= cut <= whole for cut, whole in zip(budgets, lengths, strict=True))
    assert sum(budgets) <= max(total, 0)
    assert sum(budgets) == sum(lengths) or sum(budgets) > total - len(lengths)


@given(st.text())
def test_any_text_can_be_pre_checked(text: str) -> None:
    assert len(pre_checked(comparison(a=text, b="a whole answer"))) <= 1


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
