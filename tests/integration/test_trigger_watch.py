"""What a trainer counts on a real broker, and what it tells while there is nothing to train on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from cli.current_judge import CURRENT, judge_config
from cli.project import load_project
from cli.trainer_loop import TrainerLoop, TrainerOptions
from consumers.trigger.history import consumed
from consumers.trigger.rate import Rate
from consumers.trigger.settings import TriggerSettings
from consumers.trigger.watch import Watch
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import snapshot
from schemas.errors import ConfigError
from schemas.events import Event, Run
from schemas.records import Outcome, PreferenceSource, RunStatus, Verdict
from tests.events import NOON, verification, verified
from tests.preferences import human, preference, said
from tests.promotions import run
from tests.tiny_policy import save_tiny_policy
from tests.waiting import wait_until
from trainer.log_slice import read_runs

pytestmark = pytest.mark.integration


def answers(n: int, failed: int, **changes: object) -> list[Event]:
    return [
        verification(
            verified(f"c{i}", Outcome.FAILED if i < failed else Outcome.PASSED),
            event_id=f"v{i}",
            prompt_id=f"p{i}",
            **changes,
        )
        for i in range(n)
    ]


def test_a_look_reads_only_what_came_since_the_last(fresh_broker: Settings) -> None:
    watch = Watch(fresh_broker, "shop", TriggerSettings(drift_window=10), ())
    empty, _ = watch.look()
    assert (empty.new_pairs, empty.rates["failures"]) == (0, Rate())

    pairs = [preference("a"), preference("b", rubric_version="2"), human("c")]
    thumbs = preference("t", source=PreferenceSource.THUMBS)
    publish(fresh_broker, [*pairs, pairs[0], thumbs, *answers(8, failed=2)])
    first, _ = watch.look()
    assert first.new_pairs == 3
    assert first.rubrics == {"1", "2"}
    assert first.rates["failures"] == Rate(n=8, count=2)
    assert watch.look()[0] == first

    # ten more that failed push the others out of the window
    publish(fresh_broker, [preference("d"), *answers(10, failed=10)])
    second, ranges = watch.look()
    assert second.new_pairs == 4
    assert second.rates["failures"] == Rate(n=10, count=10)

    # the pairs that were trained on are no longer new
    trained = run("x", RunStatus.TRAINED, offset_ranges=ranges)
    publish(fresh_broker, [preference("e")])
    fresh = Watch(fresh_broker, "shop", TriggerSettings(), consumed([trained]))
    assert fresh.look()[0].new_pairs == 1


def test_a_window_holds_the_latest_of_all_partitions(fresh_broker: Settings) -> None:
    """Whatever came to the partition that is read last."""
    later = NOON + timedelta(hours=1)
    publish(fresh_broker, [*answers(40, failed=40), *answers(40, failed=0, occurred_at=later)])
    watch = Watch(fresh_broker, "shop", TriggerSettings(drift_window=40), ())
    assert watch.rates()["failures"] == Rate(n=40, count=0)


def test_new_pairs_are_those_of_the_judge_that_answers_now(fresh_broker: Settings) -> None:
    judges = ["first"]
    watch = Watch(fresh_broker, "shop", TriggerSettings(), (), lambda: judges[-1])
    publish(fresh_broker, [preference("a", judge_config_hash="first"), human("h")])
    assert watch.look()[0].new_pairs == 2
    judges.append("second")
    publish(fresh_broker, [preference(f"b{n}", judge_config_hash="second") for n in range(3)])
    assert watch.look()[0].new_pairs == 4


def told(settings: Settings, status: RunStatus) -> list[Run]:
    return [one for one in read_runs(settings) if one.status is status]


def trainer(settings: Settings, project: Path) -> TrainerLoop:
    options = TrainerOptions(
        project_dir=project,
        policy=save_tiny_policy(project / "sft"),
        algorithm="dpo",
        every_s=0.1,
    )
    return TrainerLoop(settings, load_project(project), options)


@contextmanager
def running(loop: TrainerLoop) -> Iterator[None]:
    """The loop in a thread."""
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        loop.stop()
        thread.join()


def test_a_decision_not_to_train_is_told_once_for_each_reason(
    fresh_broker: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pipeline.yaml").write_text(
        "workload: shop\ncanary: {share: 0}\n"
        "trigger: {min_new_pairs: 3, least_pairs: 3, settle_minutes: 999}"
    )
    with running(trainer(fresh_broker, tmp_path)):
        wait_until(lambda: told(fresh_broker, RunStatus.WAITED), "a decision")
        # many looks later there is still one event, and a new reason makes the second
        publish(fresh_broker, [preference(f"r{n}") for n in range(3)])
        wait_until(lambda: len(told(fresh_broker, RunStatus.WAITED)) > 1, "another reason")
    assert [line for line in caplog.messages if line.endswith(" is off")] == ["the canary is off"]
    (leading,) = told(fresh_broker, RunStatus.LEADING)
    first, second = told(fresh_broker, RunStatus.WAITED)
    assert first.detail == "no reason to train"
    assert "must hold for 999 minutes" in second.detail
    assert {gate.name: gate.verdict for gate in second.gates}["new_pairs"] is Verdict.PASS
    # the epoch is the offset of the event that began the term, the first of the topic
    assert (first.epoch, leading.epoch) == (snapshot(fresh_broker, "runs")[0].first, None)


def test_each_workload_has_a_leader_and_models_of_its_own(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    loops = []
    for workload in ("shop", "bank"):
        project = tmp_path / workload
        project.mkdir()
        (project / "pipeline.yaml").write_text(f"workload: {workload}\n")
        settings = fresh_broker.model_copy(update={"models_dir": project / "models"})
        loops.append(trainer(settings, project))
    with running(loops[0]), running(loops[1]):
        # whoever decides leads
        wait_until(lambda: len(told(fresh_broker, RunStatus.WAITED)) > 1, "both to decide")
    waited = {run.workload_id: run.epoch for run in told(fresh_broker, RunStatus.WAITED)}
    assert waited.keys() == {"shop", "bank"}
    assert waited["shop"] != waited["bank"]

    shared = fresh_broker.model_copy(update={"models_dir": tmp_path / "shop" / "models"})
    with pytest.raises(ConfigError, match="keeps the policies of workload shop"):
        trainer(shared, tmp_path / "bank").run()


RUBRIC = """\
id: shop
version: "2"
criteria:
  - {id: R1, text: It is short., decided_by: judge}
instructions: Compare.
tie_policy: Equal is a tie.
"""
JUDGED_ANEW = """
workload: shop
trigger: {min_new_pairs: 3, least_pairs: 3, settle_minutes: 0}
judge: {model: openai:judge-7b, rubric: shop/2}
pair: {rubric_id: shop}
promotion: {prompts: held-out.jsonl}
"""
HELD_OUT = (
    '{"prompt_id": "h", "messages": [{"role": "user", "content": "How much?"}], '
    '"expectations": [{"kind": "NUMERIC", "spec": "12"}]}'
)


def test_after_a_change_of_the_judge_its_own_pairs_are_trained_on(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    """They still have to be measured, and the gate says so; the former judge's are left out."""
    (tmp_path / "rubrics" / "shop").mkdir(parents=True)
    (tmp_path / "rubrics" / "shop" / "2.yaml").write_text(RUBRIC)
    (tmp_path / "pipeline.yaml").write_text(JUDGED_ANEW)
    (tmp_path / "held-out.jsonl").write_text(HELD_OUT)
    project = load_project(tmp_path)
    now = judge_config(CURRENT, project, tmp_path, fresh_broker)
    publish(
        fresh_broker,
        [
            preference(f"{judge}-{n}", judge_config_hash=judge, chosen=said(f"{judge} {n}"))
            for judge in ("before", now)
            for n in range(3)
        ],
    )
    ends = (RunStatus.REFUSED, RunStatus.FAILED)
    with running(trainer(fresh_broker, tmp_path)):
        wait_until(lambda: any(told(fresh_broker, end) for end in ends), "its end", 120)
    assert not told(fresh_broker, RunStatus.FAILED)
    (refused,) = told(fresh_broker, RunStatus.REFUSED)
    assert f"judge configuration {now} was never calibrated" in refused.detail
    assert "before" not in refused.detail
