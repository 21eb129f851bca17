"""Weights of a panel's members from labelled anchors of the calibration split. Pure.

A weight makes the member's margin the log-odds that it is right: w maximises the likelihood of
sigma(w m) over the anchors, m in favour of the human winner (Platt 1999, through the origin, since
sides are drawn at random), with a normal prior of variance 1 so that a member without an error does
not get an endless one. A member without probabilities gets log(p / (1 - p)) of its accuracy p, one
right and one wrong verdict added (Nitzan and Paroush 1982).
"""

import math
from collections.abc import Iterable, Sequence

from scipy.optimize import minimize_scalar

from consumers.calibration.agreement import cohen_kappa, confusion
from consumers.calibration.cascade_fit import CascadeFit, WantedCascade, fit_cascade
from consumers.calibration.judged_anchor import JudgedAnchor, judged_anchors
from consumers.calibration.splits import Split, SplitShares
from schemas.errors import ConfigError
from schemas.events import Judgment, Label
from schemas.ids import text_sha256
from schemas.records import Winner
from streams.judge.panel import Fitted, Floor, Panel, PanelMember

# A margin that says more than twenty times what it claims is a scale, not a judge.
_MAX_WEIGHT = 20.0
_DIGITS = 4


def fit_panel(
    panel: Panel,
    judgments: Iterable[Judgment],
    labels: Iterable[Label],
    shares: SplitShares,
    version: str,
    wanted: WantedCascade | None = None,
) -> Panel:
    """The panel as ``version``, combined by log-odds with weights fitted on its own opinions.

    A member below the panel's floor gets no vote; a cascade whose first has none is left out.
    With ``wanted`` the cascade's bound is fitted too. Raises ``ConfigError`` where there is nothing
    to fit on, nobody is left with a vote, or the wanted cascade is not possible.
    """
    known, incomplete = judged_anchors(panel, judgments, labels, shares)
    heard = [one for one in known if one.human in _SIDES]
    if not heard:
        raise ConfigError(
            f"panel {panel.ref} has judged no labelled anchor of the calibration split with all "
            f"its members ({incomplete} with some of them); let it judge anchors, without a cascade"
        )
    fitted = [_member(member, heard, panel.floor) for member in panel.members]
    if not any(member.weight for member in fitted):
        raise ConfigError(
            f"no member of panel {panel.ref} reaches its floor: "
            + "; ".join(f"{member.name}: {member.no_vote}" for member in fitted)
        )
    voting = {member.name for member in fitted if member.weight}
    cascade = panel.cascade if panel.cascade and panel.cascade.first in voting else None
    sources = sorted(source for one in (known if wanted else heard) for source in one.source_ids)
    fields = {"version": version, "method": "log_odds", "members": tuple(fitted)}
    weighted = panel.model_copy(update=fields)
    found = _cascade(weighted, wanted, known) if wanted else None
    return weighted.model_copy(
        update={
            "cascade": found.cascade if found else cascade,
            "fitted_on": Fitted(
                panel=panel.ref,
                split=Split.CALIBRATION.value,
                anchors=len(heard),
                anchors_sha256=text_sha256("\n".join(sources)),
                incomplete=incomplete,
                agreement={member.name: _said(member.name, heard) for member in panel.members},
                cascade=found.said if found else "",
            ),
        }
    )


def _cascade(panel: Panel, wanted: WantedCascade, heard: Sequence[JudgedAnchor]) -> CascadeFit:
    first = next((member for member in panel.members if member.name == wanted.first), None)
    if first is None or not first.weight or first.samples or first.mode == "listwise":
        names = ", ".join(member.name for member in panel.members)
        raise ConfigError(
            f"{wanted.first} cannot decide alone in a cascade: name a member that has a vote and a "
            f"margin (so no samples, no ranking) among {names}"
        )
    return fit_cascade(panel, wanted, heard)


def margin_weight(margins: Sequence[float]) -> float:
    """The weight of a member by its margins in favour of the human winner; 0 if they are none."""

    def loss(weight: float) -> float:
        lost = sum(max(-weight * m, 0.0) + math.log1p(math.exp(-abs(weight * m))) for m in margins)
        return lost + weight**2 / 2

    found = minimize_scalar(loss, bounds=(0.0, _MAX_WEIGHT), method="bounded")
    return round(float(found.x), _DIGITS)


def vote_weight(right: int, wrong: int) -> float:
    """The weight of a member by its votes; 0 where it is no better than a coin."""
    return round(max(0.0, math.log((right + 1) / (wrong + 1))), _DIGITS)


def _member(member: PanelMember, heard: Sequence[JudgedAnchor], floor: Floor) -> PanelMember:
    reason = _below(member.name, heard, floor)
    weight = 0.0 if reason else _weight(member.name, heard)
    if not reason and weight == 0:
        reason = "its verdicts say nothing about the better answer"
    return member.model_copy(update={"weight": weight, "no_vote": reason})


def _weight(name: str, heard: Sequence[JudgedAnchor]) -> float:
    verdicts = [(one.verdicts[name], one.human) for one in heard]
    read = [(said, human) for said, human in verdicts if said.winner is not Winner.INVALID]
    margins = [
        said.margin if human is Winner.A else -said.margin
        for said, human in read
        if said.margin is not None
    ]
    if len(margins) == len(read):
        return margin_weight(margins)
    decided = [said.winner is human for said, human in read if said.winner in _SIDES]
    return vote_weight(sum(decided), len(decided) - sum(decided))


_SIDES = (Winner.A, Winner.B)


def _ratings(name: str, heard: Sequence[JudgedAnchor]) -> list[tuple[str, str]]:
    """(human, judge) of every anchor that the member decided; what it could not say is wrong."""
    ratings = []
    for one in heard:
        said = one.verdicts[name].winner
        if said is Winner.INVALID:
            said = Winner.B if one.human is Winner.A else Winner.A
        if said in _SIDES:
            ratings.append((one.human.value, said.value))
    return ratings


def _below(name: str, heard: Sequence[JudgedAnchor], floor: Floor) -> str | None:
    measured = cohen_kappa(confusion(_ratings(name, heard)))
    if measured.n < floor.anchors:
        return f"it decided {measured.n} anchors, fewer than {floor.anchors}"
    if measured.value is None or measured.value < floor.kappa:
        shown = "undefined" if measured.value is None else f"{measured.value:.3f}"
        return f"kappa {shown} of {measured.n} anchors is below {floor.kappa:g}"
    if measured.observed is not None and measured.observed < floor.accuracy:
        return f"accuracy {measured.observed:.3f} is below {floor.accuracy:g}"
    return None


def _said(name: str, heard: Sequence[JudgedAnchor]) -> str:
    measured = cohen_kappa(confusion(_ratings(name, heard)))
    kappa = "undefined" if measured.value is None else f"{measured.value:.3f}"
    observed = "undefined" if measured.observed is None else f"{measured.observed:.3f}"
    return f"accuracy {observed}, kappa {kappa}, decided {measured.n} of {len(heard)}"
