"""`prefstream anchors` on a real broker: drawn, imported, exported, probed, never trained on."""

import json
from pathlib import Path

import pytest

from consumers.calibration.holdout_ledger import AnchorsDrawn, HoldoutLedger, ledger_path
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import events
from schemas.errors import ConfigError
from schemas.events import Comparison, Judgment
from schemas.records import Purpose
from tests.command_line import prefstream
from tests.events import comparison, judgment, verified
from tests.preferences import labels_of, preference, said

pytestmark = pytest.mark.integration

# most calibrate, so that there are probes enough among a few anchors
PIPELINE = """
workload: shop
calibration: {shares: {calibration: 0.89, holdout: 0.1, core: 0.01}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(n: int, slice_: str) -> Judgment:
    name = f"{slice_}-{n}"
    one = comparison(
        verified(f"{name}-a"),
        verified(f"{name}-b"),
        event_id=f"comparison {name}",
        prompt_id=f"prompt {name}",
        messages=said(f"what about {name}", "user"),
        slice=slice_,
    )
    return judgment(one, event_id=f"judgment {name}", prompt_id=one.prompt_id)


def of_purpose(log: Settings, purpose: Purpose) -> list[Comparison]:
    return [one for one in events(log, Comparison) if one.purpose is purpose]


def test_anchors_are_drawn_labelled_probed_and_kept_out_of_training(
    log: Settings, project: Path
) -> None:
    publish(log, [judged(n, name) for name, k in (("joins", 30), ("dates", 10)) for n in range(k)])
    shown = prefstream("anchors", "create", "--n", "20", "--seed", "7", "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["anchors"] == 20
    drawn = of_purpose(log, Purpose.ANCHOR)
    assert sorted(one.slice for one in drawn) == ["dates"] * 5 + ["joins"] * 15
    (row,) = HoldoutLedger(ledger_path(log)).entries()
    assert isinstance(row, AnchorsDrawn)
    assert (row.seed, row.n) == (7, 20)

    unlabelled = prefstream("anchors", "probe")
    assert isinstance(unlabelled.exception, ConfigError)
    publish(log, [given for one in drawn for given in labels_of(one)])
    assert prefstream("anchors", "probe", "--n", "3").exit_code == 0
    probes = of_purpose(log, Purpose.PROBE)
    assert len(probes) == 3
    assert {one.source_ids[0] for one in probes} <= {one.event_id for one in drawn}

    again = prefstream("anchors", "create", "--n", "100", "--json")
    assert json.loads(again.stdout)["anchors"] == 20
    assert len({one.prompt_id for one in of_purpose(log, Purpose.ANCHOR)}) == 40

    prompts = [one.prompt_id for one in drawn[:3]]
    rows = [preference(f"row {n}", prompt_id=id_) for n, id_ in enumerate(prompts)]
    rows.append(preference("repeats", prompt=said("What about  JOINS-1?", "user")))
    publish(log, [*rows, preference("free")])
    frozen = prefstream("dataset", "freeze", project / "data", "--project", project)
    assert frozen.exit_code == 0, frozen.output
    manifest = json.loads((project / "data" / "manifest.json").read_text())
    assert (manifest["rows"], manifest["removed"]) == (1, {"excluded_prompt": 4})


def test_a_file_is_imported_and_exported(log: Settings, project: Path) -> None:
    file = project / "in.jsonl"
    two = [{"annotator": name, "winner": "A"} for name in ("ann", "bob")]
    row = {"prompt": "How much?", "a": "12.", "b": "13.", "labels": two}
    file.write_text(json.dumps(row), encoding="utf-8")
    for _ in range(2):
        shown = prefstream("anchors", "import", file, "--json")
        assert json.loads(shown.stdout) == {"anchors": 1, "labels": 2, "left_out": 0}
    out = project / "out.jsonl"
    assert prefstream("anchors", "export", out, "--holdout").exit_code == 0
    (kept,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert kept["a"] == "12."
    assert {one["annotator"] for one in kept["labels"]} == {"ann", "bob"}
