"""The estimate before a run: calls, tokens and USD at most, and nobody asked."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from infra.settings import Settings
from schemas.events import CandidateSet, Completion
from schemas.records import Message
from streams.dry_run import Asked, dry_run
from streams.inference.in_process_weights import load_weights
from streams.inference.token_count import token_count
from tests.events import candidate, candidate_set, completion

POLICY_FOLDER = Path(__file__).parents[2] / "examples" / "harbor" / "checkpoints" / "policy"
PIPELINE = """\
workload: shop
sample: {models: ["openai:small"], temperatures: [0.2, 0.7], max_tokens: 50}
pair: {max_pairs_per_prompt: 2, rubric_id: tone}
judge: {model: "openai:big", rubric: tone/1, max_tokens: 30}
inference:
  prices: {big: {input_usd: 1000, output_usd: 2000}}
  budget: {total_usd: 0.1}
"""
RUBRIC = """\
id: tone
version: "1"
criteria: [{id: R1, text: It is kind., decided_by: judge}]
instructions: Compare.
tie_policy: Equal is a tie.
"""
PRODUCTION = completion(output="We sold 12 of them.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "rubrics" / "tone").mkdir(parents=True)
    (tmp_path / "rubrics" / "tone" / "1.yaml").write_text(RUBRIC)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return tmp_path


async def asked(project: Path, *events: Completion | CandidateSet) -> dict[str, Asked]:
    settings = Settings(data_dir=project / "data")
    return {one.stage: one for one in await dry_run(events, project, settings)}


async def test_a_completion_is_sampled_paired_and_judged_in_both_orders(project: Path) -> None:
    found = await asked(project, PRODUCTION)
    assert (found["sample"].calls, found["sample"].output_tokens) == (2, 100)
    # three candidates make three pairs, of which two are kept, each in both orders
    assert (found["judge"].calls, found["judge"].output_tokens) == (4, 120)
    assert found["sample"].usd is None
    judge = found["judge"]
    assert judge.usd == pytest.approx(judge.input_tokens / 1000 + judge.output_tokens / 500)
    assert {one.counted_by for one in found.values()} == {"characters"}


async def test_longer_answers_cost_more_and_a_set_of_one_costs_nothing(project: Path) -> None:
    words = " ".join(map(str, range(400)))
    sets = [candidate_set(candidate("a", text), candidate("b", "no")) for text in ("yes", words)]
    short, long = [(await asked(project, one))["judge"].input_tokens for one in sets]
    assert long - short == pytest.approx(2 * len(words) / 4, abs=4)
    alone = candidate_set(candidate("a", "yes"))
    assert (await asked(project, alone))["judge"].calls == 0


def test_the_tokenizer_of_a_local_model_counts_with_its_template() -> None:
    count, how = token_count(f"path:{POLICY_FOLDER}")
    weights = load_weights(POLICY_FOLDER, "cpu")
    messages = (Message(role="user", content="How much revenue did the north make?"),)
    assert how == "tokenizer"
    assert count(messages) == len(weights.prompt(messages))


def test_the_command_sums_up_and_warns_of_the_budget(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFSTREAM_DATA_DIR", str(project / "data"))
    source = project / "in.jsonl"
    source.write_text('{"prompt": "how many?", "output": "We sold 12."}\nno row\n')
    arguments = ["estimate", str(source), "--project", str(project)]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert [one["calls"] for one in shown["models"]] == [2, 4]
    assert shown["usd"] == pytest.approx(shown["models"][1]["usd"])
    told = CliRunner().invoke(app, arguments).stdout
    assert "USD at most" in told
    assert "more than inference.budget.total_usd, 0.1" in told
    assert not (project / "data" / "spending.sqlite").exists()
