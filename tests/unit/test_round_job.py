"""What a round of training may be trained on, and what its gate sees."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from rich.console import Console

from cli.project import load_project
from cli.rewarded import section
from cli.round_job import RoundJob, RoundSurroundings, run_job, train_job
from cli.round_project import project_rounds
from cli.round_state import RoundsState, read_state, write_state
from cli.tune_job import tuned_on
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.labellers import Labellers
from examples.harbor.demo.display import Display
from examples.harbor.evaluation_prompts import asked
from examples.harbor.questions import questions
from examples.harbor.simulated_people import gate_reads
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Calibration, Event, Run
from schemas.records import HumanWinner, Message, Purpose, RunStatus, Verdict
from tests.frozen_rows import frozen_rows
from tests.preferences import calibration, human, label, preference
from tests.promotions import run
from tests.unit.inference_fixtures import save_tiny_model
from tests.unit.test_calibration_teachers import NEW, OLD, judged
from tests.unit.test_rounds import evaluated, one
from tests.webhook_receiver import receiver
from trainer.dataset import write
from trainer.dpo import DpoConfig
from trainer.freeze import FreezeSettings
from trainer.gate_rules import CalibrationRule
from trainer.grpo import GrpoConfig
from trainer.local_topics import LocalTopics
from trainer.online import CriterionReward
from trainer.promotion.settings import PromotionSettings
from trainer.prompts import Prompt, prompt_ids

E = TypeVar("E", bound=Event)

HARBOR = Path(__file__).parents[2] / "examples" / "harbor" / "project"


def job_in(folder: Path, *logged: Event) -> tuple[RoundJob, RoundSurroundings]:
    """Rounds of Harbor, as the workload shop, over a log that holds these events."""
    # its held-out prompts are where it is laid out
    changed = {"workload": "shop", "promotion": PromotionSettings()}
    project = load_project(HARBOR).model_copy(update=changed)
    settings = Settings(data_dir=folder)
    job = RoundJob(
        project=project,
        project_dir=HARBOR,
        checks=project.verify,
        policy=folder / "policy",
        out=folder / "out",
        n=1,
        algorithm="dpo",
        prompts=(),
        anchors=asked(gate_reads()[:4]),
        held_out=(),
        temperature=0.7,
    )
    topics = LocalTopics(settings, [], asyncio.Runner())
    topics.remember(logged)
    ledger = HoldoutLedger(folder / "ledger.jsonl")
    decide = CalibrationRule(settings=project.gate)
    people = Labellers(topics, project.calibration, decide, ledger, lambda _: None)
    around = RoundSurroundings(
        topics=topics,
        people=people,
        ledger=ledger,
        pending=lambda _: None,
        watch=lambda _: None,
    )
    return job, around


def shouted(prompt: Prompt) -> tuple[Message, ...]:
    """The same words."""
    *before, turn = prompt.messages
    return (*before, turn.model_copy(update={"content": turn.content.upper() + "?!"}))


def test_a_prompt_in_an_anchors_words_is_kept_out(tmp_path: Path) -> None:
    job, around = job_in(tmp_path)
    anchor = job.measuring()[0]
    repeated = preference("repeats", prompt_id="repeats", prompt=shouted(anchor))
    found = job.kept_out(around.topics, [repeated, preference("free")])
    assert "repeats" in found
    assert anchor.prompt_id in found
    assert "prompt of free" not in found


def test_the_prompts_of_a_promotion_are_kept_out_too(tmp_path: Path) -> None:
    locked = asked(questions("benchmark")[:1])[0]
    (tmp_path / "held-out.jsonl").write_text(locked.model_dump_json(), encoding="utf-8")
    job, around = job_in(tmp_path)
    promotion = PromotionSettings(prompts=Path("held-out.jsonl"))
    project = job.project.model_copy(update={"promotion": promotion})
    job = replace(job, project=project, project_dir=tmp_path)
    repeated = preference("repeats", prompt_id="repeats", prompt=shouted(locked))
    found = job.kept_out(around.topics, [repeated])
    assert {"repeats", locked.prompt_id} <= found


def test_a_section_counts_folders_from_the_project_and_must_be_an_algorithms(
    tmp_path: Path,
) -> None:
    job, _ = job_in(tmp_path)
    criteria = {"kindness": CriterionReward(folder=Path("models/kind"))}
    online = job.project.grpo.model_copy(
        update={"reward_model": Path("models/whole"), "criteria": criteria}
    )
    found = section(job.project.model_copy(update={"grpo": online}), "grpo", tmp_path)
    assert isinstance(found, GrpoConfig)
    assert found.reward_model == (tmp_path / "models" / "whole").resolve()
    assert found.criteria["kindness"].folder == (tmp_path / "models" / "kind").resolve()
    assert section(job.project, "dpo", tmp_path) == job.project.dpo
    with pytest.raises(ConfigError, match="there is no algorithm 'judge'"):
        section(job.project, "judge", tmp_path)


def test_a_teacher_that_was_exchanged_since_the_calibration_stops_the_round(tmp_path: Path) -> None:
    judgments = [
        judged(Purpose.ANCHOR, OLD, judge="jc"),
        judged(Purpose.PRODUCTION, NEW, judge="jc").model_copy(update={"event_id": "later"}),
    ]
    job, around = job_in(tmp_path, *judgments)
    pairs = frozen_rows([preference("p1")])
    measured: list[Calibration] = [calibration(source_ids=(judgments[0].event_id,))]
    with receiver(200) as (url, got):
        around = replace(around, webhook=url)
        outcome = train_job(job, around, "round-1", DpoConfig(), pairs, job.policy, measured)
    assert outcome.verdict is Verdict.FAIL
    (posted,) = got
    assert (posted["kind"], posted["run_id"]) == ("refusal", outcome.run.run_id)
    (told,) = around.topics.events(Run)
    assert told.status is RunStatus.REFUSED
    assert "teacher_fingerprint: FAIL" in told.detail


def test_reward_hacking_ends_the_rounds_and_is_told_once_as_such(tmp_path: Path) -> None:
    """What stopped them is told even where the call that measured it was cut short."""
    job, around = job_in(tmp_path, run("first"), run("second"))
    job = replace(job, n=2, prompts=asked(gate_reads()[:2]))
    results = (
        one(1, 0.0, run_id="first-run-id", evaluation=evaluated(360)),
        one(2, 0.0, run_id="second-run-id", evaluation=evaluated(280)),
    )
    write_state(job.out, RoundsState(results=results))
    with receiver(200) as (url, got):
        around = replace(around, webhook=url)
        found = run_job(job, around)
        run_job(job, around)
    assert found.stopped is not None
    (posted,) = got
    assert (posted["kind"], posted["run_id"]) == ("reward_hacking", "second-run-id")
    assert found.stopped in str(posted["text"])
    assert around.topics.events(Run)[-1].status is RunStatus.WITHHELD


def test_no_prompt_is_asked_in_two_rounds_however_many_there_are(tmp_path: Path) -> None:
    job, _ = job_in(tmp_path)
    job = replace(job, n=3, prompts=asked(gate_reads()[:9]))
    first, second, _ = job.parts()
    ids = prompt_ids(first)
    assert job.parts(1, ids)[:2] == [(), second]
    more = replace(job, n=5).parts(1, ids)
    assert [len(part) for part in more] == [0, 2, 2, 1, 1]
    assert not ids & prompt_ids(prompt for part in more for prompt in part)
    with pytest.raises(ConfigError, match="6 prompts that no round asked are too few for 7 rounds"):
        replace(job, n=8).parts(1, ids)


def test_a_reward_model_answers_nothing(tmp_path: Path) -> None:
    job, around = job_in(tmp_path)
    job = replace(job, algorithm="reward", prompts=asked(gate_reads()[:1]))
    with pytest.raises(ConfigError, match="reward makes no policy"):
        run_job(job, around)


def test_a_round_that_a_gate_refused_is_tried_again(tmp_path: Path) -> None:
    """People may have labelled what was missing."""
    refused = one(1, None, verdict=Verdict.INCONCLUSIVE, refusal="never calibrated", run_id="first")
    job, around = job_in(tmp_path, human("a"))
    policy = save_tiny_model(job.policy)
    job = replace(job, policy=policy, prompts=asked(gate_reads()[:1]))
    write_state(job.out, RoundsState(results=(refused,)))
    found = run_job(job, around)
    (again,) = found.results
    # people's rows alone are not trained on either
    assert again.refusal.startswith("human_share: INCONCLUSIVE")
    assert [told.run_id for told in around.topics.events(Run)] == [again.run_id]
    assert read_state(job.out).asked == ()


def test_an_audited_flip_rate_is_refused_before_any_work(tmp_path: Path) -> None:
    job, around = job_in(tmp_path)
    audited = DpoConfig(loss_type="robust", label_flip_rate="audited")
    job = replace(job, project=job.project.model_copy(update={"dpo": audited}))
    with pytest.raises(ConfigError, match="which `rounds` or `tune` cannot look up"):
        run_job(job, around)
    assert not around.topics.events(Run)


def test_a_search_over_pairs_of_several_judges_names_one(tmp_path: Path) -> None:
    rows = [preference(judge, judge_config_hash=judge) for judge in ("before", "now")]
    job, around = job_in(tmp_path, *rows)
    with pytest.raises(ConfigError, match="pick one with --judge-config"):
        tuned_on(job, around, None, None)
    assert [row.event_id for row in tuned_on(job, around, None, "now").rows] == [rows[1].event_id]


def elsewhere(event: E) -> E:
    """The event as another workload's."""
    return event.model_copy(update={"event_id": f"bank's {event.event_id}", "workload_id": "bank"})


def test_a_search_takes_its_workloads_pairs(tmp_path: Path) -> None:
    """Whatever measures in any workload stays out."""
    rows = [preference("a"), preference("b")]
    measures = elsewhere(label("ann", HumanWinner.A, prompt_id=rows[1].prompt_id))
    job, around = job_in(tmp_path, *rows, *map(elsewhere, rows), human("c"), measures)
    found = tuned_on(job, around, None, "jc").manifest
    assert (found.workload_id, found.read, found.rows) == ("shop", 5, 2)
    assert found.removed == {"other_workload": 2, "excluded_prompt": 1}

    frozen = frozen_rows(map(elsewhere, rows), FreezeSettings(workload_id="bank"))
    write(frozen, tmp_path / "data")
    with pytest.raises(ConfigError, match="of workload bank, and the project's is shop"):
        tuned_on(job, around, tmp_path / "data", None)


def test_what_another_workload_promoted_or_measured_decides_nothing_here(tmp_path: Path) -> None:
    promoted = run("x", RunStatus.PROMOTED, checkpoint="/models/v2", fingerprint="f00")
    pairs = frozen_rows([preference("p1")])
    for number, event in enumerate((elsewhere(promoted), promoted)):
        job, around = job_in(tmp_path / str(number), event, elsewhere(calibration()))
        assert around.own(job).events(Calibration) == []
        measured = [calibration()]
        outcome = train_job(job, around, "round-1", DpoConfig(), pairs, job.policy, measured)
        gates = {gate.name: gate.verdict for gate in outcome.run.gates}
        assert gates.get("policy_anchors") == (Verdict.INCONCLUSIVE if number else None)


def test_prompts_of_a_file_become_the_workloads(tmp_path: Path) -> None:
    """They may be as production asked them: without an id, or what answers are checked against."""
    (wanted,) = asked(gate_reads()[:1])
    line = wanted.model_dump_json(include={"messages"})
    files = {name: tmp_path / f"{name}.jsonl" for name in ("own", "others")}
    files["own"].write_text(line, encoding="utf-8")
    files["others"].write_text(line.replace("{", '{"workload_id": "bank", ', 1), encoding="utf-8")
    opened = partial(
        project_rounds,
        tmp_path / "out",
        1,
        "dpo",
        Display(Console()),
        policy=tmp_path,
        anchors=files["own"],
        held_out=None,
        project=HARBOR,
        temperature=0.7,
        topics=None,
    )
    with opened(prompts=files["own"]) as (job, _):
        for one in (*job.prompts, *job.anchors):
            assert (one.workload_id, one.prompt_id) == ("harbor", wanted.prompt_id)
    with (
        pytest.raises(ConfigError, match="of workload bank, and the project's is harbor"),
        opened(prompts=files["others"]),
    ):
        pass
