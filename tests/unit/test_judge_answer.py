"""Reading answers: where the verdict stands, what its probabilities are, what was cited."""

import pytest

from schemas.records import Order, Winner
from streams.inference.chat import ChatAnswer
from streams.judge.answer import (
    SlotProbabilities,
    read_answer,
    read_citations,
    slot_of,
    verdict_probabilities,
    verdict_slot,
)
from tests.unit.judge_case import spoken

CERTAIN = {"A": 0.7, "B": 0.2, "tie": 0.1}


def test_probabilities_are_read_at_the_token_after_the_verdict() -> None:
    answer = spoken(["A R4: yes met\n", "Ver", "dict", ":", " A"], {" A": 0.7, " B": 0.2})
    found = verdict_probabilities(answer.tokens)
    assert found is not None
    assert (found.first, found.second, found.tie) == pytest.approx((0.7, 0.2, 0.0))


def test_spellings_of_one_verdict_are_summed() -> None:
    top = {
        "A": 0.3,
        " A": 0.2,
        "a": 0.1,
        "**A": 0.05,
        " B": 0.1,
        "tie": 0.1,
        " Tie": 0.05,
        "T": 0.02,
    }
    found = verdict_probabilities(spoken(["Verdict:", "A"], top).tokens)
    assert found is not None
    assert (found.first, found.second, found.tie) == pytest.approx((0.65, 0.1, 0.17))
    assert found.captured_mass == pytest.approx(0.92)


def test_the_last_verdict_counts() -> None:
    words = ["Verdict", ":", " B", "\n", "No.\n", "Final verdict", ":", " A"]
    found = verdict_probabilities(spoken(words, {" A": 1.0}).tokens)
    assert found is not None
    assert found.first == pytest.approx(1.0)


def test_a_verdict_inside_a_line_is_somebody_elses() -> None:
    quoted = 'A R4: says "Verdict: A" unmet\nB R4: yes met\n'
    assert verdict_slot(quoted) is None
    assert verdict_slot(f"{quoted}Verdict: B") == "second"
    read = read_answer(ChatAnswer(text=quoted, model="m"), Order.AB, ["R4"], min_captured_mass=0.9)
    assert read.answer is Winner.INVALID


def test_a_cut_answer_has_a_verdict_only_where_it_was_cut() -> None:
    def answered(text: str, finish: str) -> Winner:
        answer = ChatAnswer(text=text, model="m", finish_reason=finish)
        return read_answer(answer, Order.AB, ["R4"], min_captured_mass=0.9).answer

    assert answered("A R4: yes met\nVerdict: A", "length") is Winner.A
    assert answered("Verdict: A\nA R4: yes met\nB R4: n", "length") is Winner.INVALID
    assert answered("Verdict: A\nas B is wrong", "stop") is Winner.A


def test_a_tie_with_an_article_is_no_a() -> None:
    answer = spoken(["Verdict:", " a", " tie"], {" a": 0.6, " A": 0.3})
    assert verdict_slot("Verdict: a tie") == "tie"
    assert verdict_probabilities(answer.tokens) is None
    assert read_answer(answer, Order.BA, ["R4"], min_captured_mass=0.9).answer is Winner.TIE


@pytest.mark.parametrize("gap", [["Verdict", ": "], ["Verdict:", "\n"], ["Verdict:", " **"]])
def test_space_and_bold_before_the_verdict_are_not_the_verdict(gap: list[str]) -> None:
    found = verdict_probabilities(spoken([*gap, "A"], {"A": 1.0}).tokens)
    assert found is not None
    assert found.first == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("order", "first", "second"), [(Order.AB, Winner.A, Winner.B), (Order.BA, Winner.B, Winner.A)]
)
def test_the_answer_names_the_comparisons_candidates(
    order: Order, first: Winner, second: Winner
) -> None:
    for word, winner in ((" A", first), (" B", second), (" tie", Winner.TIE)):
        answer = spoken(["Verdict:", word], {word: 0.95})
        assert read_answer(answer, order, ["R4"], min_captured_mass=0.9).answer is winner


def test_too_little_mass_is_a_format_failure_and_never_a_coin() -> None:
    answer = spoken(["Verdict:", " A"], {" A": 0.6, " Perhaps": 0.4})
    reading = read_answer(answer, Order.AB, ["R4"], min_captured_mass=0.9)
    assert reading.answer is Winner.INVALID
    assert reading.probabilities is not None
    assert reading.probabilities.captured_mass == pytest.approx(0.6)


@pytest.mark.parametrize(
    "text", ["", "I cannot say", "Verdict:", "Verdict: both", "Verdict: Apple"]
)
def test_no_verdict_is_invalid(text: str) -> None:
    answer = ChatAnswer(text=text, model="m")
    assert read_answer(answer, Order.AB, ["R4"], min_captured_mass=0.9).answer is Winner.INVALID


def test_without_probabilities_the_text_is_read() -> None:
    answer = ChatAnswer(text="Verdict: B\nOn reflection:\n**Verdict:** **A**.", model="m")
    reading = read_answer(answer, Order.AB, ["R4"], min_captured_mass=0.9)
    assert reading.answer is Winner.A
    assert reading.probabilities is None


def test_an_answer_cut_before_its_verdict_has_none() -> None:
    answer = spoken(["A R4: yes met\n", "Verdict", ":"], {":": 1.0})
    assert verdict_probabilities(answer.tokens) is None
    assert read_answer(answer, Order.AB, ["R4"], min_captured_mass=0.9).answer is Winner.INVALID


def test_an_even_chance_is_a_tie() -> None:
    assert SlotProbabilities(first=0.5, second=0.5, tie=0.0).largest() == "tie"
    assert SlotProbabilities(first=0.4, second=0.2, tie=0.4).largest() == "tie"


@pytest.mark.parametrize(
    ("token", "slot"),
    [(" A", "first"), ("b", "second"), ("TIE", "tie"), ("ti", "tie"), ("An", None), ("", None)],
)
def test_which_tokens_are_verdicts(token: str, slot: str | None) -> None:
    assert slot_of(token) == slot


def test_verdict_text_must_be_a_word() -> None:
    assert verdict_slot("Verdict: A") == "first"
    assert verdict_slot("Verdict: Both") is None


def test_citations_name_the_comparisons_candidates() -> None:
    text = 'A R4: "region is EMEA" met; year 2023 unmet\nB R4: none - not met; hm\nVerdict: A'
    found = read_citations(text, Order.BA, ["R4"])
    assert [(c.candidate, c.criterion, c.met, c.quote) for c in found] == [
        ("B", "R4", True, "region is EMEA"),
        ("B", "R4", False, "year 2023"),
        ("A", "R4", False, "none"),
        ("A", "R4", None, "hm"),
    ]


def test_only_known_criteria_are_cited_and_only_before_the_verdict() -> None:
    text = "A R9: x met\nVerdict: A\nA R4: y met"
    assert read_citations(text, Order.AB, ["R4"]) == ()
    assert read_citations(text, Order.AB, []) == ()
