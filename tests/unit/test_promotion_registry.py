"""Promoting and rolling back: what the alias points to, and who may move it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from schemas.errors import ConfigError
from schemas.events import Run
from schemas.records import GateResult, RunStatus, Verdict
from tests.command_line import prefstream
from tests.events import NOON
from tests.promotions import cleared, run, trained
from tests.webhook_receiver import receiver
from trainer.promotion.alias_history import Move, made, standing
from trainer.promotion.candidate import Candidate, candidate, next_step, run_of_checkpoint
from trainer.promotion.model_registry import Fenced, ModelRegistry
from trainer.promotion.promote import promote, reference, roll_back
from trainer.promotion.version import damages, read_version


class Clock:
    """An hour later at every look."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models", Clock())


def promoted(registry: ModelRegistry, folder: Path, name: str) -> Run:
    made_run = trained(folder, name)
    return promote(cleared(made_run, reference(registry, made_run)), registry)


def test_a_promotion_is_a_whole_folder_behind_the_alias(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    told = promoted(registry, tmp_path, "first")
    assert told.status is RunStatus.PROMOTED
    assert registry.alias.resolve() == Path(told.checkpoint)
    assert (registry.alias / "model.safetensors").read_bytes().startswith(b"weights of first")
    version = read_version(registry.alias)
    assert version.run_id == "first-run-id"
    assert version.metrics_after == {"accuracy": 0.7}
    assert set(version.files) == {"README.md", "config.json", "dataset.json", "model.safetensors"}
    assert "first-run-id" in (registry.alias / "README.md").read_text()
    assert damages(registry.alias) == {}


def test_the_model_card_says_which_rows_did_not_fit(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    counted = {"rows": 668.0, "truncated": 3.0, "dropped": 2.0}
    made_run = trained(tmp_path, "first").model_copy(update={"metrics_after": counted})
    promote(cleared(made_run), registry)
    card = (registry.alias / "README.md").read_text()
    assert "trained on 668 of them after the blend: 3 cut at max_length, 2 more left out" in card
    assert read_version(registry.alias).training == counted


def test_the_name_of_a_slice_does_not_end_a_cell_of_the_model_card(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    gate = GateResult(name="slice a|b\nc", verdict=Verdict.PASS, detail="d|e")
    made_run = trained(tmp_path, "first").model_copy(update={"gates": (gate,)})
    promote(cleared(made_run), registry)
    assert r"| slice a\|b c | PASS |  |  | d\|e |" in (registry.alias / "README.md").read_text()


def test_doing_it_again_changes_nothing(registry: ModelRegistry, tmp_path: Path) -> None:
    made_run = trained(tmp_path, "first")
    found = cleared(made_run)
    assert promote(found, registry) == promote(found, registry)
    assert len(registry.moves()) == 1


def test_rollback_goes_back_one_promotion_at_a_time(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    names = [Path(promoted(registry, tmp_path, name).checkpoint).name for name in ("a", "b", "c")]
    assert registry.current() == names[2]
    told = roll_back(registry)
    assert (told.status, told.run_id) == (RunStatus.ROLLED_BACK, "c-run-id")
    assert registry.current() == names[1]
    roll_back(registry)
    assert registry.current() == names[0]
    with pytest.raises(ConfigError, match="no earlier promotion"):
        roll_back(registry)
    assert registry.current() == names[0]


def test_a_rollback_without_a_broker_is_told_to_the_webhook(
    registry: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        promoted(registry, tmp_path, name)
    monkeypatch.delenv("PREFSTREAM_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("PREFSTREAM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PREFSTREAM_MODELS_DIR", str(registry.root))
    with receiver(200) as (url, got):
        monkeypatch.setenv("PREFSTREAM_WEBHOOK_URL", url.get_secret_value())
        rolled_back = prefstream("rollback")
    assert rolled_back.exit_code == 0
    assert "the event is not in the log: no Kafka to talk to" in rolled_back.stderr
    assert [(one["kind"], one["run_id"]) for one in got] == [("demotion", "b-run-id")]


def test_after_a_rollback_the_next_promotion_stands_on_what_serves(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    first = Path(promoted(registry, tmp_path, "a").checkpoint).name
    promoted(registry, tmp_path, "b")
    roll_back(registry)
    promoted(registry, tmp_path, "c")
    roll_back(registry)
    assert registry.current() == first


def test_before_the_first_promotion_there_is_nothing(registry: ModelRegistry) -> None:
    assert (registry.current(), registry.moves(), registry.standing()) == (None, (), ())
    with pytest.raises(ConfigError, match="no earlier promotion"):
        roll_back(registry)
    listed = CliRunner().invoke(app, ["models"], env={"PREFSTREAM_MODELS_DIR": str(registry.root)})
    assert listed.exit_code == 0
    assert "nothing is promoted in" in listed.stdout


def test_a_stale_trainer_moves_nothing(registry: ModelRegistry, tmp_path: Path) -> None:
    first, second = trained(tmp_path, "old"), trained(tmp_path, "new")
    registry.claim(7, "shop")
    registry.claim(9, "shop")
    with pytest.raises(Fenced, match="epoch 9 has taken over from this one of epoch 7"):
        promote(cleared(first), registry, epoch=7)
    with pytest.raises(Fenced):
        registry.claim(8, "shop")
    assert registry.current() is None
    assert promote(cleared(second), registry, epoch=9).epoch == 9


def of_bank(made: Run) -> Run:
    return made.model_copy(update={"workload_id": "bank"})


def test_an_alias_serves_one_workload(registry: ModelRegistry, tmp_path: Path) -> None:
    """Whichever was promoted first, by whatever version of prefstream."""
    serves = Path(promoted(registry, tmp_path, "first").checkpoint)
    other = of_bank(trained(tmp_path, "others"))
    with pytest.raises(ConfigError, match=r"of workload shop, .* set PREFSTREAM_MODELS_DIR"):
        promote(cleared(other, serves), registry)
    with pytest.raises(ConfigError, match="a folder of bank's own"):
        registry.claim(9, "bank")
    assert registry.alias.resolve() == serves
    assert list((registry.root / "versions").iterdir()) == [serves]
    registry.claim(9, "shop")
    promoted(registry, tmp_path, "second")


def test_a_claim_makes_a_registry_a_workloads(registry: ModelRegistry, tmp_path: Path) -> None:
    registry.root.mkdir()
    # as it was written before claims named one
    earlier = Move(at=NOON, kind="claim", epoch=3).model_dump_json(exclude={"workload_id"})
    (registry.root / "history.jsonl").write_text(f"{earlier}\n")
    registry.claim(7, "bank")
    with pytest.raises(ConfigError, match="of workload bank"):
        promoted(registry, tmp_path, "first")
    other = of_bank(trained(tmp_path, "others"))
    assert promote(cleared(other), registry, epoch=7).workload_id == "bank"


def test_gates_against_a_policy_that_no_longer_serves_are_stale(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    late = cleared(trained(tmp_path, "late"))
    promoted(registry, tmp_path, "meanwhile")
    with pytest.raises(Fenced, match="run the gates again"):
        promote(late, registry)
    assert read_version(registry.alias).run_id == "meanwhile-run-id"


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [("model.safetensors", b"other", "changed"), ("extra.json", b"{}", "added")],
)
def test_a_damaged_version_is_never_rolled_back_to(
    registry: ModelRegistry, tmp_path: Path, file: str, content: bytes, what: str
) -> None:
    first = Path(promoted(registry, tmp_path, "a").checkpoint)
    second = Path(promoted(registry, tmp_path, "b").checkpoint)
    (first / file).unlink(missing_ok=True)
    (first / file).write_bytes(content)
    assert damages(first) == {file: what}
    with pytest.raises(ConfigError, match=f"{file} \\({what}\\)"):
        roll_back(registry)
    assert registry.alias.resolve() == second


def test_a_checkpoint_that_changed_since_training_is_refused(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    made_run = trained(tmp_path, "first")
    (tmp_path / "first" / "model.safetensors").write_bytes(b"others")
    with pytest.raises(ConfigError, match="promote the folder as it was trained"):
        promote(cleared(made_run), registry)
    assert registry.current() is None
    assert list((registry.root / "versions").iterdir()) == []


def test_a_run_without_gates_or_withheld_is_not_promoted(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    made_run = trained(tmp_path, "first")
    with pytest.raises(ConfigError, match="have not run"):
        promote(Candidate(trained=made_run), registry)
    gated = next_step(made_run, RunStatus.WITHHELD, NOON, detail="accuracy: FAIL -0.2")
    with pytest.raises(ConfigError, match=r"accuracy: FAIL -0\.2"):
        promote(Candidate(trained=made_run, gated=gated), registry)


def test_an_ungated_run_is_never_a_candidate() -> None:
    runs = [run("x", fingerprint="sha256:1", ungated=True)]
    with pytest.raises(ConfigError, match="--ungated"):
        candidate(runs, "x-run-id")
    # whatever the folder is called now, its weights say who made it
    with pytest.raises(ConfigError, match="--ungated"):
        candidate(runs, run_of_checkpoint(runs, "sha256:1"))


def test_candidates_are_found_by_run_or_by_weights() -> None:
    runs = [run("x", fingerprint="sha256:1"), run("xy", fingerprint="sha256:2")]
    assert candidate(runs, "x-run-").trained.run_id == "x-run-id"
    assert run_of_checkpoint(runs, "sha256:2") == "xy-run-id"
    with pytest.raises(ConfigError, match="no run in the log trained"):
        run_of_checkpoint(runs, "sha256:3")
    with pytest.raises(ConfigError, match="is no run"):
        candidate(runs, "zzzzzzz")
    failed = [run("f", RunStatus.FAILED, detail="the loss became nan")]
    with pytest.raises(ConfigError, match="the loss became nan"):
        candidate(failed, "f-run-id")


@pytest.mark.parametrize(
    ("left", "said"),
    [("", "does not tell how 20261101T120000-a-run-id"), ("{}\n", "damaged")],
)
def test_a_history_that_is_lost_or_damaged_is_a_sentence(
    registry: ModelRegistry, tmp_path: Path, left: str, said: str
) -> None:
    serves = Path(promoted(registry, tmp_path, "a").checkpoint).name
    (registry.root / "history.jsonl").write_text(left)
    with pytest.raises(ConfigError, match=said):
        registry.standing()
    with pytest.raises(ConfigError, match=said):
        registry.rollback()
    assert registry.current() == serves


def move(version: str, previous: str | None, kind: str = "promote") -> Move:
    return Move.model_validate({"at": NOON, "kind": kind, "version": version, "previous": previous})


def test_moves_that_a_crash_prevented_do_not_count() -> None:
    written = [
        move("a", None),
        move("b", "a"),
        move("c", "a"),
        move("c", "a"),
        move("a", "c", "rollback"),
        move("d", "c"),
    ]
    assert [m.version for m in made(written, "c")] == ["a", "c"]
    assert [m.version for m in made(written, "d")] == ["a", "c", "d"]
    assert [m.version for m in made(written[:5], "a")] == ["a", "c", "a"]
    assert [m.version for m in standing(made(written[:5], "a"))] == ["a"]
