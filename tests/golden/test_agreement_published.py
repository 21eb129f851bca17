"""The statistics against numbers that were published, and against scikit-learn."""

import gzip
import json
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from consumers.calibration.agreement import (
    cohen_kappa,
    confusion,
    macro_f1,
    observed_agreement,
    swap_consistency,
)

JUDGE_DATA = Path(__file__).parents[2].parent / "shared" / "data" / "judge"

pytestmark = pytest.mark.skipif(
    not JUDGE_DATA.is_dir(), reason=f"the published judge data is not in {JUDGE_DATA}"
)

TIE = "0"


def pandalm(name: str) -> list[dict[str, Any]]:
    rows = json.loads((JUDGE_DATA / "pandalm" / f"{name}.json").read_text(encoding="utf-8"))
    assert len(rows) == 999
    return list(rows)


def people() -> list[list[str]]:
    rows = pandalm("testset-v1")
    return [[str(row[f"annotator{n}"]) for row in rows] for n in (1, 2, 3)]


def majority() -> list[str]:
    return [Counter(votes).most_common(1)[0][0] for votes in zip(*people(), strict=True)]


def test_pandalm_human_kappas() -> None:
    kappas = [
        cohen_kappa(confusion(zip(one, other, strict=True))).value
        for one, other in combinations(people(), 2)
    ]
    assert kappas == pytest.approx([0.8520, 0.8789, 0.8617], abs=5e-5)


@pytest.mark.parametrize(
    ("file", "field", "published"),
    [
        ("gpt-3.5-turbo-testset-v1", "gpt_result", (0.7107, 0.5755, 0.4958)),
        ("pandalm-7b-testset-v1", "pandalm_result", (0.6677, 0.5743, 0.4354)),
    ],
)
def test_pandalm_judges(file: str, field: str, published: tuple[float, float, float]) -> None:
    given = [str(row[field]) for row in pandalm(file)]
    # published with unparsable verdicts as ties
    judge = [verdict if verdict in ("1", "2") else TIE for verdict in given]
    cells = confusion(zip(majority(), judge, strict=True))
    ours = (observed_agreement(cells), macro_f1(cells), cohen_kappa(cells).value)
    assert ours == pytest.approx(published, abs=5e-5)
    assert ours == pytest.approx(
        (
            accuracy_score(majority(), judge),
            f1_score(majority(), judge, average="macro"),
            cohen_kappa_score(majority(), judge),
        ),
        abs=1e-12,
    )


def llmbar_runs() -> dict[tuple[str, ...], list[tuple[str, str | None, str | None]]]:
    """(gold, verdict in the given order, verdict with the answers swapped) by run."""
    runs: dict[tuple[str, ...], list[tuple[str, str | None, str | None]]] = defaultdict(list)
    with gzip.open(JUDGE_DATA / "llmbar" / "verdicts.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            subset, model, strategy, _, gold, given, swapped = json.loads(line)
            runs[subset, model, strategy].append((str(gold), given, swapped))
    return runs


def count(statistic: str) -> int:
    """``29 / 54 = 53.7%`` is 29."""
    return int(statistic.split(" /")[0])


def test_llmbar_accuracy_and_positional_agreement_of_every_run() -> None:
    runs = llmbar_runs()
    statistics = (JUDGE_DATA / "llmbar" / "published_statistics.jsonl").read_text(encoding="utf-8")
    published = [json.loads(line) for line in statistics.splitlines()]
    assert len(published) == len(runs) == 499
    for run in published:
        rows = runs[run["subset"], run["model"], run["strategy"]]
        given = observed_agreement(confusion((gold, str(one)) for gold, one, _ in rows))
        swapped = observed_agreement(confusion((gold, str(other)) for gold, _, other in rows))
        consistent = swap_consistency([(one, other) for _, one, other in rows])
        ours = [round((value or 0) * len(rows)) for value in (given, swapped, consistent)]
        theirs = [count(run[name]) for name in ("correct_False", "correct_True", "equal")]
        assert ours == theirs, run


def test_llmbar_kappas_agree_with_scikit_learn() -> None:
    for rows in llmbar_runs().values():
        gold = [gold for gold, _, _ in rows]
        judge = [str(verdict) for _, verdict, _ in rows]
        ours = cohen_kappa(confusion(zip(gold, judge, strict=True)))
        if ours.value is not None:
            assert ours.value == pytest.approx(cohen_kappa_score(gold, judge), abs=1e-12)


def test_the_prevalence_paradox() -> None:
    """The same agreement is worth far less where one label is rare (Feinstein, Cicchetti 1990)."""
    balanced = [("A", "A")] * 40 + [("A", "B")] * 9 + [("B", "A")] * 6 + [("B", "B")] * 45
    skewed = [("A", "A")] * 80 + [("A", "B")] * 10 + [("B", "A")] * 5 + [("B", "B")] * 5
    assert observed_agreement(confusion(balanced)) == observed_agreement(confusion(skewed)) == 0.85
    assert cohen_kappa(confusion(balanced)).value == pytest.approx(0.70, abs=5e-3)
    assert cohen_kappa(confusion(skewed)).value == pytest.approx(0.32, abs=5e-3)
