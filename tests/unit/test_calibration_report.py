"""The report for a lead: complete, escaped, self-contained, and words where there is no number."""

import re
from collections.abc import Sequence
from datetime import timedelta
from html.parser import HTMLParser

import numpy as np
import pytest

from consumers.audit.error_rate import auditor_error, true_error
from consumers.audit.findings import Findings
from consumers.calibration.calibrate import CalibrationSettings, calibrate
from consumers.calibration.content import comparison_sha256
from consumers.calibration.holdout_ledger import AnchorsDrawn, HoldoutRead, Look
from consumers.calibration.splits import Split, SplitShares
from consumers.calibration_report.contents import (
    Contents,
    Ruling,
    human_ceiling,
    judge_sections,
)
from consumers.calibration_report.page import page
from schemas.events import Calibration, Judgment, Label
from schemas.records import GateResult, HumanWinner, Purpose, Verdict, Winner
from tests.events import NOON, comparison, judgment, verified
from tests.preferences import label
from trainer.gate_rules import CalibrationRule
from trainer.gate_settings import GateSettings

SETTINGS = CalibrationSettings(shares=SplitShares(calibration=0.8, holdout=0.1, core=0.1))
RULE = CalibrationRule(settings=GateSettings())
HOSTILE = '<script>alert("x")</script>'
MODELS = ("sft", "round-1", "round-2")


def anchors(n: int, judge: str, errs: float) -> tuple[list[Judgment], list[Label]]:
    """Judged anchors of three models that get better, with two people's labels each."""
    draw = np.random.default_rng(4)
    judgments, labels = [], []
    for k in range(n):
        name = f"prompt-{k}"
        one_model, other_model = draw.choice(3, size=2, replace=False)
        a, b = (
            side.model_copy(
                update={"candidate": side.candidate.model_copy(update={"checkpoint": MODELS[m]})}
            )
            for side, m in zip(
                (
                    verified(f"{name}-a", output="word " * int(draw.integers(5, 40))),
                    verified(f"{name}-b", output="term " * int(draw.integers(5, 40))),
                ),
                (one_model, other_model),
                strict=True,
            )
        )
        one = comparison(
            a,
            b,
            event_id=f"c{k}",
            prompt_id=name,
            purpose=Purpose.ANCHOR,
            slice=("joins", "dates", HOSTILE)[k % 3],
        )
        better_a = draw.random() < 1 / (1 + np.exp(other_model - one_model))
        right = draw.random() >= errs
        size = abs(draw.normal(3.0 if right else 1.2, 1.0))
        says_a = better_a == right
        winner = Winner.A if says_a else Winner.B
        judgments.append(
            judgment(
                one,
                event_id=f"{judge} {k}",
                prompt_id=name,
                winner=Winner.CONFLICT if draw.random() < 0.06 else winner,
                margin=size if says_a else -size,
                position_bias=float(draw.normal(0.1, 0.3)),
                judge_config_hash=judge,
                occurred_at=NOON + timedelta(days=k // 20),
                rubric_version="shop/2",
            )
        )
        for person in ("ann", "bob"):
            slips = draw.random() < 0.04
            labels.append(
                label(
                    person,
                    HumanWinner.A if better_a != slips else HumanWinner.B,
                    event_id=f"{person} {k}",
                    comparison_id=one.event_id,
                    prompt_id=name,
                    content_sha256=comparison_sha256(one),
                    occurred_at=NOON + timedelta(days=k // 20),
                )
            )
    return judgments, labels


def published(judgments: Sequence[Judgment], labels: Sequence[Label]) -> list[Calibration]:
    """Three looks at growing data; the holdout is read at the last and published again."""
    looks = [
        calibrate(judgments[:n], labels, SETTINGS, RULE, splits=[Split.CALIBRATION])
        for n in (200, 400, 600)
    ]
    holdout = calibrate(judgments, labels, SETTINGS, RULE, splits=[Split.HOLDOUT])
    return [one for look in (*looks, holdout, looks[-1], holdout) for one in look]


def contents(errs: float = 0.05) -> Contents:
    judgments, labels = anchors(600, "good0001", errs)
    broken, _ = anchors(600, HOSTILE, 0.35)
    gates = (
        GateResult(name="kappa", verdict=Verdict.PASS, value=0.8, threshold=0.72, detail=HOSTILE),
    )
    bad = (
        GateResult(name="kappa", verdict=Verdict.FAIL, value=0.31, threshold=0.72),
        GateResult(name="length_slope", verdict=Verdict.FAIL, value=0.9, threshold=0.5),
    )
    both = [*judgments, *broken]
    log = [*published(judgments, labels), *published(broken, labels)]
    ceiling, by_slice = human_ceiling(both, labels)
    sections = judge_sections(
        log,
        both,
        labels,
        SETTINGS,
        {
            "good0001": Ruling(
                verdict=Verdict.PASS, gates=gates, reported=(("drift", None, "not watched"),)
            ),
            HOSTILE: Ruling(verdict=Verdict.FAIL, gates=bad, demoted=True),
        },
    )
    read = next(one for one in log if one.split == "holdout" and not one.slice)
    return Contents(
        workload=f"shop {HOSTILE}",
        at=NOON + timedelta(days=31),
        min_kappa=0.72,
        judges=sections,
        ledger=(
            AnchorsDrawn(at=NOON, config_hash="d4", seed=7, n=600),
            Look(
                at=NOON + timedelta(days=10),
                judge_config_hash="good0001",
                calibration_id="c",
                look=1,
                judge=1,
                alpha=0.03,
                n=200,
                kappa=0.8,
            ),
            HoldoutRead(
                at=NOON + timedelta(days=30),
                judge_config_hash="good0001",
                n=read.n,
                kappa=read.kappa,
                calibrations=(read,),
            ),
        ),
        ceiling=ceiling,
        slice_ceilings=by_slice,
        audit=Findings(
            counts={},
            auditors=auditor_error(500, 38),
            error=true_error(220, 17, auditor_error(500, 38)),
        ),
        unlabelled={"tie": 12},
    )


class Tags(HTMLParser):
    """What a browser would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.outside.append(f"{tag} {value}")
            if name.startswith("on"):
                self.outside.append(f"{tag} {name}")


@pytest.fixture(scope="module")
def shown() -> str:
    return page(contents())


def test_the_page_runs_nothing_and_loads_nothing(shown: str) -> None:
    tags = Tags()
    tags.feed(shown)
    assert tags.outside == []
    assert {"script", "iframe", "object", "link", "img"}.isdisjoint(tags.found)
    assert tags.found.count("svg") >= 7


def test_what_comes_from_outside_is_escaped_everywhere(shown: str) -> None:
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") >= 6


def test_a_lead_finds_verdict_reasons_and_numbers(shown: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))
    assert "may label" in text
    assert "Its labels may be trained on: kappa 0." in text
    assert "Demoted, nothing of it reaches the trainer: kappa, length slope" in text
    assert "It was published 2 times with the same numbers each time." in text
    for said in ("the locked holdout, once", "seed 7", "Spearman", "out of fold", "own error"):
        assert said in text


def test_a_holdout_measured_again_is_told() -> None:
    judgments, labels = anchors(300, "jc", 0.1)
    first = calibrate(judgments, labels, SETTINGS, RULE)
    again = [
        one.model_copy(update={"event_id": f"again {one.event_id}", "kappa": 0.5}) for one in first
    ]
    (section,) = judge_sections(
        [*first, *again],
        judgments,
        labels,
        SETTINGS,
        {"jc": Ruling(verdict=Verdict.PASS, gates=())},
    )
    assert (section.repeats, section.unchanged) == (2, False)
    assert section.holdout in first


def test_without_anything_the_page_says_so() -> None:
    empty = Contents(
        workload="shop",
        at=NOON,
        min_kappa=0.72,
        judges=(),
        ledger=(),
        ceiling=None,
        slice_ceilings={},
    )
    shown = page(empty)
    assert "No judge was calibrated yet" in shown
    assert "Nothing was looked at yet" in shown
    assert "nan" not in shown.casefold().replace("finance", "")


def test_one_class_only_is_said_in_words() -> None:
    judgments, labels = anchors(40, "jc", 0.0)
    only_a = [
        one.model_copy(update={"winner": HumanWinner.A, "event_id": f"all {one.event_id}"})
        for one in labels
    ]
    always_a = [one.model_copy(update={"winner": Winner.A}) for one in judgments]
    sections = judge_sections(
        calibrate(always_a, only_a, SETTINGS, RULE),
        always_a,
        only_a,
        SETTINGS,
        {"jc": Ruling(verdict=Verdict.INCONCLUSIVE, gates=())},
    )
    ceiling, by_slice = human_ceiling(always_a, only_a)
    shown = page(
        Contents(
            workload="shop",
            at=NOON,
            min_kappa=0.72,
            judges=sections,
            ledger=(),
            ceiling=ceiling,
            slice_ceilings=by_slice,
        )
    )
    assert "Kappa is undefined on its" in shown
    assert "NaN" not in shown
