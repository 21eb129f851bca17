"""Preferences, and a reward, that the tiny policy of ``tests.tiny_policy`` learns in seconds."""

from schemas.events import Preference
from tests.preferences import preference, said


def pair_row(number: int) -> Preference:
    """One of forty prompts, the good answer always the same."""
    question = said(f"what is the best answer to item{number}", "user")
    return preference(
        f"row-{number}", prompt=question, chosen=said("yes good"), rejected=said("no very bad")
    )


PAIR_ROWS = [pair_row(number) for number in range(32)]


def goodness(completions: list[list[dict[str, str]]], **columns: object) -> list[float]:
    """A reward: the share of an answer's eight words that are "good"."""
    return [answer[0]["content"].split().count("good") / 8 for answer in completions]
