"""What `prefstream filter explain` counts, on judgments small enough to count by hand."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from consumers.calibration.content import comparison_sha256
from consumers.calibration.splits import Split, SplitShares, split_of
from consumers.filter_effects import FilterEffects, filter_effects
from schemas.events import Judgment, Label
from schemas.records import HumanWinner, LabelRole, Order, Purpose, VerifierWinner, Winner
from streams.filter_rules import FilterSettings
from tests.events import NOON, comparison, judgment, verified

SHARES = SplitShares(calibration=0.5, holdout=0.2, core=0.3)
PROMPTS = {
    split: [f"p{n}" for n in range(200) if split_of(f"p{n}", SHARES) is split] for split in Split
}


def pair(n: int, winner: Winner = Winner.A, margin: float = 2.0, length: int = 5) -> Judgment:
    """A production judgment; A has ``length`` times the characters of B."""
    b = f"{n:04d}"
    judged = comparison(verified(f"a{n}", output=b * length), verified(f"b{n}", output=b))
    return judgment(judged, event_id=f"j{n}", prompt_id=f"p{n}", winner=winner, margin=margin)


def anchor(prompt: str, winner: Winner, margin: float) -> tuple[Judgment, list[Label]]:
    """An anchor whose people prefer A."""
    judged = comparison(
        verified("a"), verified("b"), prompt_id=prompt, purpose=Purpose.ANCHOR, event_id=prompt
    )
    event = judgment(judged, event_id=f"j-{prompt}", prompt_id=prompt, winner=winner, margin=margin)
    labels = [
        Label(
            event_id=f"label-{prompt}-{person}",
            occurred_at=NOON,
            workload_id="shop",
            config_hash="",
            comparison_id=judged.event_id,
            prompt_id=prompt,
            content_sha256=comparison_sha256(judged),
            annotator=person,
            role=LabelRole.LABEL,
            winner=HumanWinner.A,
            order=Order.AB,
        )
        for person in ("one", "other")
    ]
    return event, labels


def effects(judgments: Sequence[Judgment], labels: Sequence[Label] = ()) -> FilterEffects:
    (found,) = filter_effects(judgments, labels, FilterSettings(), SHARES)
    return found


def removed(found: FilterEffects) -> dict[str, tuple[int, int]]:
    return {one.rule: (one.removed, one.alone) for one in found.rules if one.removed}


def test_each_rule_and_each_combination_is_counted() -> None:
    found = effects(
        [
            pair(1),
            pair(2, margin=0.3),
            pair(3, margin=0.05),
            pair(4, Winner.TIE, margin=0.01),
            pair(5, length=100),
        ]
    )
    assert (found.judgments, found.kept) == (5, 1)
    assert removed(found) == {
        "tie": (1, 0),
        "near_tie": (2, 0),
        "low_margin": (3, 1),
        "length_skew": (1, 1),
    }
    assert {each.rules: each.removed for each in found.combinations} == {
        ("low_margin",): 1,
        ("near_tie", "low_margin"): 1,
        ("tie", "near_tie", "low_margin"): 1,
        ("length_skew",): 1,
    }


def test_a_judgment_seen_twice_counts_once() -> None:
    assert effects([pair(1), pair(1)]).judgments == 1


def test_judges_are_kept_apart() -> None:
    other = pair(2).model_copy(update={"judge_config_hash": "other"})
    found = filter_effects([pair(1), other], [], FilterSettings(), SHARES)
    assert [one.judge_config_hash for one in found] == ["jc", "other"]


def test_accuracy_on_anchors_before_and_after_a_rule() -> None:
    one, two, three = PROMPTS[Split.CALIBRATION][:3]
    made = [anchor(one, Winner.A, 2.0), anchor(two, Winner.B, 0.3), anchor(three, Winner.TIE, 0.0)]
    found = effects([j for j, _ in made], [label for _, labels in made for label in labels])
    by_rule = {each.rule: each for each in found.rules}
    assert (found.before.n, found.before.right) == (3, 1)
    assert (found.after.n, found.after.right) == (1, 1)
    margin = by_rule["low_margin"]
    assert (margin.after.n, margin.after.right) == (1, 1)
    # without it, the wrong verdict with a low margin would come through
    assert (margin.others.n, margin.others.right) == (2, 1)
    together = {each.rules: (each.after.n, each.after.right) for each in found.combinations}
    assert together == {
        ("not_for_training",): (3, 1),
        ("not_for_training", "low_margin"): (1, 1),
        ("not_for_training", "tie", "near_tie", "low_margin"): (1, 1),
    }
    assert found.before.low < 1 / 3 < found.before.high


@pytest.mark.parametrize("split", [Split.HOLDOUT, Split.CORE])
def test_only_the_calibration_split_is_looked_at(split: Split) -> None:
    event, labels = anchor(PROMPTS[split][0], Winner.A, 2.0)
    assert effects([event], labels).before.n == 0


def test_the_spread_of_lengths_does_not_depend_on_who_won() -> None:
    (first,) = effects([pair(1, Winner.A), pair(2, Winner.B)]).length_spreads
    (second,) = effects([pair(1, Winner.B), pair(2, Winner.B)]).length_spreads
    assert first == second
    # log(21 / 5), one character added to each
    assert first.sd == pytest.approx(1.4351, abs=1e-4)


def test_what_the_verifier_decided_says_nothing_of_the_spread() -> None:
    judged = comparison(verified("a"), verified("b"), verifier_winner=VerifierWinner.A)
    assert effects([judgment(judged, margin=None)]).length_spreads == ()


def test_each_workload_has_a_spread_of_its_own() -> None:
    other = pair(2, length=100).model_copy(update={"workload_id": "other"})
    found = {one.workload: one for one in effects([pair(1), pair(3), other]).length_spreads}
    assert {name: one.n for name, one in found.items()} == {"other": 1, "shop": 2}
    assert found["other"].sd > found["shop"].sd


def test_the_command_reads_what_label_wrote(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("workload: shop\nfilter: {min_margin: 3}\n")
    judged = tmp_path / "judgments.jsonl"
    judged.write_text(f"{pair(1).model_dump_json()}\n\n{pair(2, margin=4).model_dump_json()}\n")

    def explain(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.main", "filter", "explain", str(judged)]
        command += ["--project", str(tmp_path), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = explain("--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["judges"]
    assert (found["judgments"], found["kept"]) == (2, 1)
    assert "low_margin" in explain().stdout
    with judged.open("a") as file:
        file.write("{}\n")
    wrong = explain()
    assert wrong.returncode == 78
    assert "judgments.jsonl, line 4: event_id: Field required" in wrong.stderr
