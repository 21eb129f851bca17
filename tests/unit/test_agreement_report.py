"""`prefstream agreement`: what counts, what is undefined, and what a bad file is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from typer.testing import CliRunner

from cli.main import app
from consumers.agreement.report import UNPARSED, report
from consumers.agreement.rows import AgreementRow, AgreementRows, read_rows
from schemas.errors import ConfigError

Rows = list[dict[str, Any]]


def write(path: Path, rows: Rows) -> Path:
    file = path / "labels.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def square(counts: dict[tuple[str, str], int], **more: str) -> Rows:
    """Rows with so many items of each (human, judge)."""
    pairs = [pair for pair, n in counts.items() for _ in range(n)]
    return [
        {"item": str(n), "human": human, "judge": judge, **more}
        for n, (human, judge) in enumerate(pairs)
    ]


COUNTS = {("A", "A"): 45, ("A", "B"): 15, ("B", "A"): 25, ("B", "B"): 15}


def test_kappa_and_its_error_are_those_of_statsmodels(tmp_path: Path) -> None:
    found = report(read_rows(write(tmp_path, square(COUNTS))))
    reference = cohens_kappa([[45, 15], [25, 15]])
    assert found.n == 100
    assert found.kappa == pytest.approx(reference.kappa, abs=1e-12)
    assert found.se == pytest.approx(reference.std_kappa, abs=1e-8)
    assert found.observed == pytest.approx(0.6)
    assert found.pabak == pytest.approx(0.2)
    assert found.confusion == {"A": {"A": 45, "B": 15}, "B": {"A": 25, "B": 15}}
    assert found.interval == "atanh"
    assert (found.low or 1) < (found.kappa or 1) < (found.high or 0)


def test_rates_are_by_class(tmp_path: Path) -> None:
    rates = report(read_rows(write(tmp_path, square(COUNTS)))).rates["A"]
    assert rates.prevalence == pytest.approx(0.6)
    assert rates.true_positive_rate == pytest.approx(45 / 60)
    assert rates.true_negative_rate == pytest.approx(15 / 40)


def test_the_prevalence_paradox(tmp_path: Path) -> None:
    """Feinstein and Cicchetti (1990): much agreement, hardly any kappa, where one class rules."""
    skewed = {("A", "A"): 118, ("A", "B"): 5, ("B", "A"): 2, ("B", "B"): 0}
    found = report(read_rows(write(tmp_path, square(skewed))))
    assert found.observed == pytest.approx(0.944)
    assert found.kappa == pytest.approx(-0.0234, abs=5e-5)
    assert found.pabak == pytest.approx(0.888)


def test_weighted_kappa_needs_the_order_of_all_labels(tmp_path: Path) -> None:
    rows = square(
        {("bad", "bad"): 20, ("bad", "fair"): 5, ("good", "fair"): 4, ("good", "good"): 9}
    )
    file = write(tmp_path, rows)
    found = report(read_rows(file), weights="quadratic", order=("bad", "fair", "good"))
    reference = cohens_kappa([[20, 5, 0], [0, 0, 0], [0, 4, 9]], wt="quadratic")
    assert found.weighted_kappa == pytest.approx(reference.kappa)
    assert (found.weighted_kappa or 0) > (found.kappa or 0)
    with pytest.raises(ValueError, match="good"):
        report(read_rows(file), weights="linear", order=("bad", "fair"))


def test_a_verdict_that_could_not_be_parsed_is_wrong(tmp_path: Path) -> None:
    rows = square({("A", "A"): 5, ("B", "B"): 5})
    rows += [{"item": "x", "human": "A", "judge": None}, {"item": "y", "human": "B", "judge": ""}]
    found = report(read_rows(write(tmp_path, rows)))
    assert found.parse_failures == 2
    assert found.confusion == {"A": {"A": 5, "B": 1}, "B": {"A": 1, "B": 5}}


def test_with_three_labels_an_unparsed_verdict_is_a_class_of_its_own(tmp_path: Path) -> None:
    rows = square({("A", "A"): 5, ("B", "B"): 5, ("tie", "tie"): 2, ("tie", ""): 1})
    found = report(read_rows(write(tmp_path, rows)))
    assert found.confusion["tie"][UNPARSED] == 1
    assert found.observed == pytest.approx(12 / 13)


@pytest.mark.parametrize(
    "rows",
    [
        square({("tie", "tie"): 7}),
        [{"item": "1", "human_1": "A", "human_2": "B", "judge": "A"}],
    ],
)
def test_an_undefined_kappa_says_so(tmp_path: Path, rows: Rows) -> None:
    found = report(read_rows(write(tmp_path, rows)))
    assert found.kappa is found.se is found.low is found.high is None
    assert found.undefined
    assert "NaN" not in found.model_dump_json()


def test_what_is_not_measured_is_said_in_words(tmp_path: Path) -> None:
    ties = report(read_rows(write(tmp_path, square({("tie", "tie"): 7})))).notes
    assert "kappa is undefined: people and judge said 'tie' every time" in ties[0]
    assert ties[1:] == (
        "no slices: no row names one",
        "no ceiling: people are one column; give human_1, human_2, …",
    )
    three = report(read_rows(write(tmp_path, square({("A", "A"): 2, ("B", "B"): 1})))).notes
    assert three[0].startswith("3 items are few")
    rows = [row | {"slice": "x"} for row in people(40, judge_slips=10, person_slips=5)]
    for row in rows:
        del row["human_3"]
    (note,) = report(read_rows(write(tmp_path, rows))).notes
    assert note.startswith("no alternative annotator test: it needs 3 people")


def test_three_perfect_items_prove_little(tmp_path: Path) -> None:
    rows = square({("A", "A"): 2, ("B", "B"): 1})
    found = report(read_rows(write(tmp_path, rows)))
    assert found.kappa == 1
    assert found.low is not None
    assert found.low < 0.2


def test_items_of_one_cluster_count_as_less(tmp_path: Path) -> None:
    alone = square(COUNTS)
    # every answer was given five times to the same prompt
    clustered = [
        {**row, "item": f"{row['item']}-{n}", "cluster": row["item"]}
        for row in alone
        for n in range(5)
    ]
    one, five = (report(read_rows(write(tmp_path, rows))) for rows in (alone, clustered))
    assert five.n == 500
    assert five.clusters == 100
    assert five.interval == "cluster_bootstrap"
    assert five.kappa == pytest.approx(one.kappa)
    width = [(found.high or 0) - (found.low or 0) for found in (one, five)]
    assert width[1] == pytest.approx(width[0], rel=0.1)


def test_perfect_agreement_in_few_clusters_proves_little(tmp_path: Path) -> None:
    rows = [
        {"item": str(n), "human": "AB"[n % 2], "judge": "AB"[n % 2], "cluster": str(n % 3)}
        for n in range(300)
    ]
    found = report(read_rows(write(tmp_path, rows)))
    assert found.low is not None
    assert found.low < 0.5


def test_slices_are_measured_each(tmp_path: Path) -> None:
    rows = [
        {"item": str(n), "human": "AB"[n % 2], "judge": "A", "slice": "x" if n < 6 else None}
        for n in range(10)
    ]
    found = report(read_rows(write(tmp_path, rows)))
    assert {name: one.n for name, one in found.slices.items()} == {"x": 6, "(none)": 4}


def people(n: int, *, judge_slips: int, person_slips: int) -> Rows:
    """Three people of whom the third slips now and then, and a judge who does too."""
    rows = []
    for k in range(n):
        truth, other = ("A", "B") if k % 2 else ("B", "A")
        rows.append(
            {
                "item": str(k),
                "human_1": truth,
                "human_2": truth,
                "human_3": other if k % person_slips == 0 else truth,
                "judge": other if k % judge_slips == 0 else truth,
            }
        )
    return rows


def test_several_people_give_the_reference_and_the_ceiling(tmp_path: Path) -> None:
    found = report(read_rows(write(tmp_path, people(100, judge_slips=50, person_slips=5))))
    assert found.observed == pytest.approx(0.98)
    assert found.ceiling is not None
    assert set(found.ceiling.pairs) == {
        "human_1, human_2",
        "human_1, human_3",
        "human_2, human_3",
    }
    assert found.ceiling.pairs["human_1, human_2"].kappa == 1
    assert found.ceiling.kappa == pytest.approx((1 + 0.6 + 0.6) / 3, abs=1e-3)


def test_the_alternative_annotator_test_tells_a_good_judge_from_a_bad_one(tmp_path: Path) -> None:
    good = report(read_rows(write(tmp_path, people(200, judge_slips=100, person_slips=5))))
    bad = report(read_rows(write(tmp_path, people(200, judge_slips=2, person_slips=5))))
    assert good.alternative_annotator is not None
    assert bad.alternative_annotator is not None
    assert good.alternative_annotator.passes
    assert not bad.alternative_annotator.passes
    few = report(read_rows(write(tmp_path, people(20, judge_slips=7, person_slips=5))))
    assert few.alternative_annotator is None


def test_a_tied_vote_is_no_label() -> None:
    row = AgreementRow(
        item="1", human=None, judge="A", cluster=None, slice=None, humans={"human_1": "A"}
    )
    found = report(AgreementRows(rows=(row,), repeated=0))
    assert (found.n, found.unlabelled) == (0, 1)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('{"item": "1", "human": "A"}', "line 1: a row needs a judge"),
        ('{"item": "1", "judge": "A"}', "line 1: a row needs a human label"),
        ('{"human": "A", "judge": "A"}', "line 1: a row needs an item"),
        ('{"item": "1", "human": 1, "judge": "A"}', "human must be a text"),
        ('{"item": "1", "human": "A", "judge": "A", "hmuan": "A"}', "unknown field 'hmuan'"),
        ('\n{"item": "1", "human": "A", "judge"', "line 2"),
        ('{"item": "1", "human": "A", "judge": NaN}', "NaN"),
        ("[" * 100_000, "line 1"),
        ("", "holds no row"),
        (
            '{"item": "1", "human": "A", "judge": "A"}\n{"item": "1", "human": "B", "judge": "A"}',
            "line 2: item '1' has other labels than in line 1",
        ),
    ],
)
def test_a_bad_file_is_told_where_and_what(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_rows(file)
    assert said in str(raised.value)
    assert str(file) in str(raised.value)


def test_the_same_line_twice_counts_once(tmp_path: Path) -> None:
    rows = square({("A", "A"): 2, ("B", "B"): 2})
    found = report(read_rows(write(tmp_path, rows + rows[:1])))
    assert (found.n, found.repeated) == (4, 1)


def test_the_command_prints_one_json_line_or_tables(tmp_path: Path) -> None:
    file = write(tmp_path, people(40, judge_slips=10, person_slips=5))
    shown = CliRunner().invoke(app, ["agreement", str(file), "--json"])
    assert shown.exit_code == 0
    found = json.loads(shown.stdout)
    assert {"n", "kappa", "se", "low", "high", "observed", "pabak", "confusion"} <= set(found)
    tables = CliRunner().invoke(app, ["agreement", str(file)])
    assert tables.exit_code == 0
    assert "Confusion" in tables.stdout
    assert "stand in for a person" in tables.stdout
