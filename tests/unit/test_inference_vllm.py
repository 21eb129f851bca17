"""A model behind a vLLM of its own: the right weights answer, and no process is left.

In place of vLLM's interpreter stands a script that serves the folder by `prefstream serve`: child
process, protocol and weights are real. tests/integration/test_vllm_rounds.py has vLLM itself.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from infra.process import ProcessFailed
from infra.settings import Settings
from infra.vllm import environment
from schemas.errors import ConfigError, Fatal
from streams.inference.chat import ChatModel, ChatRequest, as_messages
from streams.inference.in_process import InProcessModel
from streams.inference.vllm_model import VllmModel
from tests.processes import processes_of
from tests.unit.inference_fixtures import save_tiny_model
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
ASKED = ChatRequest(messages=as_messages([("user", "how many refunds?")]), max_tokens=24)
SERVES = """
given = dict(zip(sys.argv[3::2], sys.argv[4::2]))
named = ["--name", given["--served-model-name"], "--port", given["--port"]]
serve = [sys.executable, "-m", "cli.main", "serve", given["--model"], *named]
os.execve(sys.executable, serve, os.environ | {"PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"})
"""


def settings_with(tmp_path: Path, server: str) -> Settings:
    """Settings whose vLLM interpreter is this script."""
    settings = Settings(cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")
    python = environment(settings) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!{sys.executable}\nimport os, sys, time\nROOT = {str(ROOT)!r}\n{server}")
    python.chmod(0o755)
    (environment(settings) / ".installed").touch()
    return settings


def answer_of(model: ChatModel) -> tuple[str, str, str | None]:
    async def asked() -> tuple[str, str, str | None]:
        try:
            answer = await model.complete(ASKED)
        finally:
            await model.aclose()
        return answer.text, answer.model, answer.fingerprint

    return asyncio.run(asked())


def test_each_folder_is_answered_for_by_its_own_weights_and_nothing_is_left(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, SERVES)
    folders = [save_tiny_model(tmp_path / name, seed) for seed, name in enumerate(("old", "new"))]
    served = [answer_of(VllmModel(folder, settings)) for folder in folders]
    assert served == [answer_of(InProcessModel(folder, threads=1)) for folder in folders]
    assert served[0] != served[1]
    assert processes_of(tmp_path) == set()
    assert len(list((tmp_path / "data" / "logs").iterdir())) == 2


def test_a_named_interpreter_serves_where_nothing_is_installed(tmp_path: Path) -> None:
    made = settings_with(tmp_path, "if sys.argv[1] == '-c': sys.exit(0)\n" + SERVES)
    named = Settings(
        vllm_python=environment(made) / "bin" / "python",
        cache_dir=tmp_path / "none",
        data_dir=made.data_dir,
    )
    folder = save_tiny_model(tmp_path / "policy")
    served = answer_of(VllmModel(folder, named))
    assert served == answer_of(InProcessModel(folder, threads=1))


def test_a_server_that_does_not_come_up_is_told_by_its_own_words(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "sys.exit('no memory for keys and values')")
    with pytest.raises(ProcessFailed, match="exit code 1 before it was ready") as raised:
        VllmModel(save_tiny_model(tmp_path / "policy"), settings)
    assert "no memory for keys and values" in str(raised.value)
    assert processes_of(tmp_path) == set()


def test_a_server_that_ends_while_it_is_asked_is_told_by_its_exit_code(tmp_path: Path) -> None:
    model = VllmModel(save_tiny_model(tmp_path / "policy"), settings_with(tmp_path, SERVES))
    for pid in processes_of(tmp_path / "policy"):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(Fatal, match="ended by itself with exit code"):
        answer_of(model)
    assert processes_of(tmp_path) == set()


def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    settings_with(tmp_path, "time.sleep(600)")
    folder = save_tiny_model(tmp_path / "policy")
    code = (
        "import sys; from pathlib import Path; from infra.settings import Settings; "
        "from streams.inference.vllm_model import VllmModel; from trainer.opened import opened; "
        "opened(lambda: VllmModel(Path(sys.argv[1]), Settings()), lambda model: model.complete())"
    )
    places = {"CACHE": str(tmp_path / "cache"), "DATA": str(tmp_path / "data")}
    waits = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env=os.environ
        | {"PYTHONPATH": str(ROOT)}
        | {f"PREFSTREAM_{name}_DIR": path for name, path in places.items()},
        stderr=subprocess.PIPE,
    )
    # itself, the guard and the server
    wait_until(lambda: len(processes_of(folder)) == 3, "the server starts")
    waits.send_signal(signal.SIGINT)
    _, said = waits.communicate(timeout=60)
    assert said.rstrip().endswith(b"KeyboardInterrupt")
    assert processes_of(tmp_path) == set()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--sampler", "vllm"], "vLLM is not installed; run `prefstream vllm install`"),
        (["--vllm-options", "--dtype float32"], "--vllm-options need --sampler vllm"),
        (["--sampler", "vllm", "--vllm-options", "'"], "No closing quotation"),
    ],
)
def test_rounds_say_what_is_missing_before_anything_is_made(
    tmp_path: Path, options: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["rounds", "--harbor", "--out", str(out), *options])
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)
    assert not out.exists()
