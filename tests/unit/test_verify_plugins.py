"""Plug-ins: found by entry point, run through the stage, and no harm when they misbehave."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.events import CandidateSet, Verification
from schemas.records import Candidate, Check, CheckStatus, Message, Outcome, Passage, Purpose
from streams.verify.settings import VerifySettings
from streams.verify.stage import VerifyStage

EXAMPLE = Path(__file__).parents[2] / "docs/examples/prefstream-verifier-politeness"

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one entry point where Python looks, as an installer would."""

    def install(name: str, value: str, source: str) -> None:
        folder = tmp_path / f"site-{name}"
        info = folder / f"{name}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[prefstream.verifiers]\n{name} = {value}\n")
        (folder / f"{value.split(':')[0]}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(folder))

    return install


def settings(**plugins: dict[str, object]) -> VerifySettings:
    return VerifySettings.model_validate({"children": 1, "plugins": plugins})


async def checks_of(settings: VerifySettings, output: str) -> tuple[dict[str, Check], Outcome]:
    stage = VerifyStage(settings, Path())
    try:
        (event,) = await stage(
            CandidateSet(
                event_id="set-1",
                occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
                workload_id="w",
                config_hash="",
                prompt_id="p",
                messages=(Message(role="user", content="a question"),),
                context=(Passage(source="s", text="a passage"),),
                purpose=Purpose.PRODUCTION,
                candidates=(Candidate(completion_id="c", output=output, model="m"),),
            )
        )
    finally:
        await stage.aclose()
    assert isinstance(event, Verification)
    (candidate,) = event.candidates
    return {check.name: check for check in candidate.checks}, candidate.outcome


async def test_the_example_of_the_docs_is_built_installed_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By setuptools alone, as pip does it where there is no network."""
    project, target = tmp_path / "project", tmp_path / "installed"
    project.mkdir()
    for source in EXAMPLE.iterdir():
        if source.is_file():
            (project / source.name).write_bytes(source.read_bytes())
    target.mkdir()
    code = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    built = subprocess.run(
        [sys.executable, "-c", code], cwd=project, check=True, capture_output=True, text=True
    )
    wheel = project / built.stdout.splitlines()[-1]
    # A pure wheel is installed by unpacking it.
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(target)], check=True)
    monkeypatch.syspath_prepend(str(target))
    polite = settings(politeness={"max_thanks": 1})
    found, outcome = await checks_of(polite, "Hello! Thanks, thank you.")
    assert found["politeness"].score == 0.5
    assert found["politeness"].status is CheckStatus.FAIL
    assert outcome is Outcome.PASSED
    found, _ = await checks_of(polite, "Hi, thanks.")
    assert found["politeness"].status is CheckStatus.PASS
    assert found["politeness"].version == "1"


def test_the_docs_show_the_example_as_it_is() -> None:
    page = (EXAMPLE.parents[1] / "verifiers.md").read_text()
    for name in ("pyproject.toml", "prefstream_politeness.py"):
        assert (EXAMPLE / name).read_text() in page


RECORDER = """
    from schemas.records import Check, CheckStatus

    class Recorder:
        name, version, hard = "recorder", "{version}", True

        async def check(self, completion):
            seen = [completion.messages[0].content, completion.context[0].text]
            return Check(name="other", version="9", hard=False, status=CheckStatus.FAIL,
                         evidence=" ".join([completion.output, *seen]))
"""


async def test_it_sees_prompt_and_context_and_answers_under_its_own_name(install: Install) -> None:
    install("recorder", "recorder_module:Recorder", RECORDER.format(version="1"))
    found, outcome = await checks_of(settings(recorder={}), "an answer")
    check = found["recorder"]
    assert check.evidence == "an answer a question a passage"
    assert (check.version, check.hard) == ("1", True)
    assert outcome is Outcome.FAILED


def test_version_and_options_are_in_the_config_hash(install: Install) -> None:
    source = """
        class Versioned:
            name, hard = "versioned", False
            def __init__(self, version, other=0): self.version = version
            def check(self, completion): ...
    """
    install("versioned", "versioned_module:Versioned", source)

    def hashed(**options: object) -> str:
        return VerifyStage(settings(versioned=options), Path()).config_hash

    assert hashed(version="1") == hashed(version="1")
    assert len({hashed(version="1"), hashed(version="2"), hashed(version="1", other=1)}) == 3
    limit = settings(versioned={"version": "1"}).model_copy(update={"plugin_limit_s": 1.0})
    assert VerifyStage(limit, Path()).config_hash == hashed(version="1")


@pytest.mark.parametrize(
    ("body", "evidence"),
    [
        ("raise KeyError('what')", "the check bad raised KeyError: 'what'"),
        ("assert 1 == 2, 'sums'", "the check bad raised AssertionError: sums"),
        ("raise TimeoutError", "the check bad raised TimeoutError"),
        ("from schemas.errors import Fatal; raise Fatal('no')", "raised Fatal: no"),
        ("return True", "bad returned bool and no Check"),
        ("return None", "bad returned NoneType and no Check"),
        (
            "from schemas.records import Check; return Check(name='a', version='1', hard=False,"
            " status='PASS', score=7)",
            "score 7.0, which is not in [0, 1]",
        ),
        ("import threading; threading.Event().wait(2)", "bad gave no answer in 0.1 s"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "async "])
async def test_what_it_does_wrong_is_an_error_with_its_reason(
    install: Install, body: str, evidence: str, prefix: str
) -> None:
    if prefix and "wait" in body:
        body = "import asyncio; await asyncio.Event().wait()"
    install(
        "bad",
        "bad_module:Bad",
        f"class Bad:\n    name, version, hard = 'bad', '1', True\n"
        f"    {prefix}def check(self, completion): {body}\n",
    )
    sys.modules.pop("bad_module", None)
    limited = settings(bad={}).model_copy(update={"plugin_limit_s": 0.1})
    found, outcome = await checks_of(limited, "an answer")
    assert found["bad"].status is CheckStatus.ERROR
    assert evidence in found["bad"].evidence
    assert outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("name, version = 'x', '1'\n    def check(self, c): ...", "hard is None"),
        ("name, hard = 'x', True\n    def check(self, c): ...", "version is None"),
        ("name, version, hard = 'x', 1, True\n    def check(self, c): ...", "version is 1"),
        ("name, version, hard = '', '1', True\n    def check(self, c): ...", "name is ''"),
        ("name, version, hard = 'x', '1', True", r"no method check\(completion\)"),
        (
            "name, version, hard = 'answer_present', '1', True\n    def check(self, c): ...",
            "a check named 'answer_present' already",
        ),
        ("def __init__(self, needed): ...", "missing 1 required positional argument"),
    ],
)
def test_one_that_cannot_be_used_is_a_configuration_error(
    install: Install, body: str, reason: str
) -> None:
    install("broken", "broken_module:Broken", f"class Broken:\n    {body}\n")
    sys.modules.pop("broken_module", None)
    with pytest.raises(ConfigError, match=rf"verify\.plugins\.broken.*{reason}"):
        VerifyStage(settings(broken={}), Path())


def test_one_that_is_not_installed_names_those_that_are(install: Install) -> None:
    install("installed", "installed_module:X", "")
    with pytest.raises(ConfigError, match=r"there are: .*installed"):
        VerifyStage(settings(absent={}), Path())


def test_one_that_cannot_be_imported_says_why(install: Install) -> None:
    install("imports", "imports_module:X", "import not_there_at_all")
    with pytest.raises(ConfigError, match="not_there_at_all"):
        VerifyStage(settings(imports={}), Path())


def test_two_packages_may_not_claim_one_name(install: Install, tmp_path: Path) -> None:
    install("twice", "one_module:X", "")
    info = tmp_path / "site-twice" / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[prefstream.verifiers]\ntwice = two_module:X\n")
    with pytest.raises(ConfigError, match="two packages claim that name"):
        VerifyStage(settings(twice={}), Path())


def test_a_text_rule_may_not_take_the_name_of_a_check() -> None:
    rule = {"name": "sql_gate", "kind": "length", "max": 5}
    with pytest.raises(ConfigError, match="sql_gate"):
        VerifyStage(VerifySettings.model_validate({"text": [rule]}), Path())
