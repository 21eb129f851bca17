"""Pages about the judge: how it agrees with people, and all that happened to one pair."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from consumers.review.charts import kappa_chart, reliability_chart
from consumers.review.judge_health import judge_health
from consumers.review.refusals import UnknownItem
from consumers.review.web.review import Lead, Review, ReviewParts, SignedIn, page
from schemas.errors import PrefstreamError
from schemas.events import Judgment
from streams.judge.proof import Proof

router = APIRouter()


@router.get("/judges")
def health(review: ReviewParts, session: SignedIn) -> Response:
    """Every judge configuration that was ever measured, the newest first."""
    judges = judge_health(review.evidence.calibrations())
    return page(
        review,
        "judges.html",
        session,
        wanted=review.kappa_wanted,
        judges=[
            (
                judge,
                kappa_chart(judge.history, review.kappa_wanted),
                reliability_chart(judge.now.reliability) if judge.now.reliability else None,
            )
            for judge in judges
        ],
    )


@router.get("/pairs")
def pair(
    review: ReviewParts, session: Lead, id_: Annotated[str, Query(alias="id", max_length=200)] = ""
) -> Response:
    """Every event of one pair; without an id the form that asks for one."""
    history = review.evidence.pair(id_.strip()) if id_.strip() else None
    if id_.strip() and history is None:
        raise UnknownItem(
            f"the tables have no comparison, judgment or preference {id_.strip()}; copy the id "
            "from an event, and mind that the sink may be some seconds behind"
        )
    return page(
        review,
        "pair.html",
        session,
        id=id_.strip(),
        history=history,
        judged=[(one, _prompts(review, one)) for one in history.judgments] if history else [],
    )


def _prompts(review: Review, judgment: Judgment) -> Sequence[Proof]:
    """The prompts, or why there are none: the rest of the pair is shown all the same."""
    try:
        return review.prompts(judgment)
    except PrefstreamError as error:
        return [
            Proof(opinion=opinion, prompt=None, matches=False, why=str(error))
            for opinion in judgment.opinions
        ]
