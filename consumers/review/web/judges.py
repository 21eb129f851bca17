"""Pages about the judge: how it agrees with people, and all that happened to one pair."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from consumers.review.charts import Chart, reliability_chart, series_chart
from consumers.review.judge_health import RubricHealth, rubric_health
from consumers.review.judge_series import flips, kappas, length_slopes, position_biases
from consumers.review.refusals import UnknownItem
from consumers.review.web.review import Lead, Review, ReviewParts, SignedIn, page
from schemas.errors import PrefstreamError
from schemas.events import Judgment
from streams.judge.proof import Proof

router = APIRouter()


@router.get("/judges")
def health(review: ReviewParts, session: SignedIn) -> Response:
    """What was measured of judges under every rubric version, the newest first."""
    return page(
        review,
        "judges.html",
        session,
        wanted=review.kappa_wanted,
        rubrics=[
            (
                one,
                _series(one, review.kappa_wanted),
                reliability_chart(one.now.reliability) if one.now.reliability else None,
            )
            for one in rubric_health(review.evidence.calibrations())
        ],
    )


def _series(health: RubricHealth, kappa_wanted: float) -> list[tuple[str, str, Chart]]:
    """Caption, what the dashed line means, and chart of everything that has a history."""
    drawn = (
        (kappas, "Kappa", "what the gate asks for", kappa_wanted, 0.0, 1.0),
        (flips, "Flips: verdicts that turn with the order", "no verdict does", 0.0, 0.0, 0.25),
        (position_biases, "Position bias: log-odds towards the first", "no bias", 0.0, -0.5, 0.5),
        (length_slopes, "Length slope: more than people's own", "no pull", 0.0, -0.25, 0.25),
    )
    charts = []
    for values, caption, dashed, rule, bottom, top in drawn:
        judges = [values(history) for history in health.judges]
        if any(judges):
            charts.append((caption, dashed, series_chart(judges, rule, bottom, top)))
    return charts


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
