"""Pairs of Harbor's simulated answers: a right one chosen over a wrong one, some turned around."""

from datetime import UTC, datetime
from itertools import islice, product

from examples.harbor.answers import split_answer
from examples.harbor.mixture import LIKED, drafts
from examples.harbor.prompts import messages, prompt_of
from examples.harbor.questions import questions
from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.records import Message, PreferenceSource

_DRAFTS = 6
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


def harbor_pairs(n: int, flipped: float = 0.0, seed: int = 0) -> list[Preference]:
    """``n`` pairs of the train split, one a question, as of a judge who flips about that share."""
    found = []
    order = sorted(questions("train"), key=lambda one: unit_interval(str(seed), one.text))
    for question in order:
        answers = list(drafts(question, LIKED, _DRAFTS))
        right = [one for one in answers if split_answer(one)[0] == question.sql]
        wrong = [one for one in answers if one not in right]
        for chosen, rejected in islice(product(right, wrong), 1):
            if unit_interval("flip", str(seed), question.id) < flipped:
                chosen, rejected = rejected, chosen
            found.append(_pair(question.text, question.id, chosen, rejected))
        if len(found) == n:
            return found
    raise ValueError(f"{n} pairs wanted of {len(order)} questions, which give {len(found)}")


def _pair(text: str, name: str, chosen: str, rejected: str) -> Preference:
    return Preference(
        event_id=name,
        occurred_at=_MADE_AT,
        workload_id="harbor",
        config_hash="",
        source_ids=(name,),
        prompt_id=prompt_of(text),
        prompt=messages(text),
        chosen=(Message(role="assistant", content=chosen),),
        rejected=(Message(role="assistant", content=rejected),),
        chosen_id=f"{name}-chosen",
        rejected_id=f"{name}-rejected",
        source=PreferenceSource.RLAIF,
        rubric_version="1",
        teacher_model="",
        judge_config_hash="",
        margin=None,
        agreement=1.0,
        chosen_length=len(chosen),
        rejected_length=len(rejected),
    )
