"""Weights from labelled anchors: who gets which, who gets none, and what is not looked at."""

import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from consumers.calibration.cascade_fit import WantedCascade
from consumers.calibration.content import comparison_sha256
from consumers.calibration.panel_fit import fit_panel, margin_weight, vote_weight
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.errors import ConfigError
from schemas.events import Judgment, Label
from schemas.records import HumanWinner, LabelRole, Opinion, Order, Purpose, Winner
from streams.judge.panel import Panel, load_panel
from tests.unit.judge_case import comparison, opinion

SHARES = SplitShares()
PANEL = Panel.model_validate(
    {
        "id": "tone",
        "version": "1",
        "floor": {"anchors": 20},
        "members": [
            {"name": name, "model": f"openai:{name}", "rubric": "tone/1"}
            for name in ("good", "coin", "voter")
        ],
    }
)


def opinions(name: str, winner: Winner, *, margin: bool = True) -> list[Opinion]:
    for_first = (0.8, 0.15, 0.05)
    for_second = (0.15, 0.8, 0.05)
    found = []
    for order in Order:
        first = (winner is Winner.A) == (order is Order.AB)
        one = opinion(order, for_first if first else for_second)
        if not margin:
            one = opinion(order, answer=winner)
        found.append(one.model_copy(update={"member": name}))
    return found


def anchor(number: int, *, panel: str = "tone/1", silent: str = "") -> tuple[Judgment, list[Label]]:
    """Human winner A on even numbers. ``good`` errs on each 10th, ``voter`` on each 5th."""
    event = comparison(event_id=f"c{number}", a=f"a {number}", b=f"b {number}").model_copy(
        update={"prompt_id": f"p{number}", "purpose": Purpose.ANCHOR}
    )
    human = Winner.A if number % 2 else Winner.B
    other = Winner.B if number % 2 else Winner.A
    said = [
        *opinions("good", other if number % 10 == 3 else human),
        *opinions("coin", Winner.A if number % 4 < 2 else Winner.B),
        *opinions("voter", other if number % 5 == 3 else human, margin=False),
    ]
    judgment = Judgment(
        event_id=f"j{number}",
        occurred_at=event.occurred_at,
        workload_id="w",
        config_hash="c",
        prompt_id=event.prompt_id,
        comparison=event,
        opinions=tuple(one for one in said if one.member != silent),
        winner=human,
        rubric_version="tone/1",
        teacher_model="m",
        judge_config_hash="h",
        panel=panel,
    )
    labels = [
        Label(
            event_id=f"l{number}{person}",
            occurred_at=event.occurred_at,
            workload_id="w",
            config_hash="",
            comparison_id=event.event_id,
            prompt_id=event.prompt_id,
            content_sha256=comparison_sha256(event),
            annotator=person,
            role=LabelRole.LABEL,
            winner=HumanWinner(human.value),
            order=Order.AB,
        )
        for person in ("first", "second")
    ]
    return judgment, labels


def anchors(count: int, **case: str) -> tuple[list[Judgment], list[Label]]:
    made = [anchor(number, **case) for number in range(count)]
    return [one for one, _ in made], [label for _, labels in made for label in labels]


def test_weights_are_log_odds_and_a_coin_has_no_vote() -> None:
    judgments, labels = anchors(400)
    found = fit_panel(PANEL, judgments, labels, SHARES, "2")
    by_name = {member.name: member for member in found.members}
    assert (found.ref, found.method) == ("tone/2", "log_odds")
    # right in 9 of 10 at |m| = log(0.8 / 0.15): the weight makes w |m| the log-odds of that
    assert by_name["good"].weight * math.log(0.8 / 0.15) == pytest.approx(math.log(9), abs=0.3)
    assert by_name["voter"].weight == pytest.approx(math.log(4), abs=0.3)
    assert by_name["coin"].weight == 0
    assert "below 0.4" in (by_name["coin"].no_vote or "")
    assert found.fitted_on is not None
    assert found.fitted_on.split == "calibration"


def test_only_the_calibration_split_is_looked_at() -> None:
    judgments, labels = anchors(400)
    inside = {
        one.event_id for one in judgments if split_of(one.prompt_id, SHARES) is Split.CALIBRATION
    }
    found = fit_panel(PANEL, judgments, labels, SHARES, "2")
    alone = fit_panel(
        PANEL, [one for one in judgments if one.event_id in inside], labels, SHARES, "2"
    )
    assert found == alone
    assert found.fitted_on is not None
    assert found.fitted_on.anchors == len(inside) < 400


def test_other_panels_and_anchors_without_every_member_are_left_out() -> None:
    judgments, labels = anchors(400)
    settled, _ = anchors(400, silent="coin")
    other, _ = anchors(400, panel="tone/9")
    mixed = [*other, *settled[:100], *judgments[100:]]
    found = fit_panel(PANEL, mixed, labels, SHARES, "2").fitted_on
    assert found is not None
    assert found.incomplete > 0
    assert found.anchors + found.incomplete == sum(
        split_of(one.prompt_id, SHARES) is Split.CALIBRATION for one in judgments
    )


def test_nothing_to_fit_on_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="without a cascade"):
        fit_panel(PANEL, [], [], SHARES, "2")


def test_a_panel_of_coins_is_not_written() -> None:
    coins = PANEL.model_copy(update={"members": PANEL.members[1:2]})
    judgments, labels = anchors(400)
    only = [
        one.model_copy(update={"opinions": tuple(o for o in one.opinions if o.member == "coin")})
        for one in judgments
    ]
    with pytest.raises(ConfigError, match="no member of panel tone/1 reaches its floor: coin"):
        fit_panel(coins, only, labels, SHARES, "2")


def test_a_cascade_is_left_out_where_its_first_has_no_vote() -> None:
    cascade = {"first": "coin", "settled_margin": 1.0}
    panel = Panel.model_validate(PANEL.model_dump() | {"cascade": cascade})
    judgments, labels = anchors(400)
    assert fit_panel(panel, judgments, labels, SHARES, "2").cascade is None


def test_a_wanted_cascade_is_fitted_and_told() -> None:
    judgments, labels = anchors(400)
    wanted = WantedCascade(first="good", max_loss=0.05)
    found = fit_panel(PANEL, judgments, labels, SHARES, "2", wanted)
    assert found.cascade is not None
    assert found.cascade.first == "good"
    assert found.fitted_on is not None
    assert found.fitted_on.cascade.startswith(f"settles {found.fitted_on.anchors} of")


@pytest.mark.parametrize("first", ["coin", "nobody"])
def test_who_has_no_vote_cannot_go_first(first: str) -> None:
    judgments, labels = anchors(400)
    wanted = WantedCascade(first=first, max_loss=0.05)
    with pytest.raises(ConfigError, match=f"{first} cannot decide alone"):
        fit_panel(PANEL, judgments, labels, SHARES, "2", wanted)


def test_a_member_without_an_error_has_a_finite_weight() -> None:
    assert 0 < margin_weight([5.0] * 1000) < 20
    assert margin_weight([-1.0] * 50) == pytest.approx(0, abs=1e-3)
    assert vote_weight(0, 10) == 0


def test_the_command_writes_the_next_version(tmp_path: Path) -> None:
    file = tmp_path / "panels" / "tone" / "1.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(PANEL.model_dump_json(exclude_defaults=True))
    (tmp_path / "pipeline.yaml").write_text("judge: {panel: tone/1}\n")
    judgments, labels = anchors(300)
    for name, events in (("judgments", judgments), ("labels", labels)):
        lines = "".join(f"{event.model_dump_json()}\n" for event in events)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    arguments = ["panel", "fit", "tone/1", "--project", str(tmp_path)]
    arguments += ["--judgments", str(tmp_path / "judgments.jsonl")]
    arguments += ["--labels", str(tmp_path / "labels.jsonl")]
    shown = CliRunner().invoke(app, [*arguments, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert not (file.parent / "2.yaml").exists()
    written = CliRunner().invoke(app, arguments)
    assert written.exit_code == 0, written.output
    assert [one.name for one in load_panel(tmp_path, "tone/2").members if not one.weight] == [
        "coin"
    ]
