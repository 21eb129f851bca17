"""A promotion killed, or out of disk, at every single step it takes on the file system.

Python tells an audit hook of each file that is opened to write, renamed, linked, removed or made.
The hook kills the process (or lets the disk be full) at the n-th of them, for every n there is.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from schemas.errors import Fatal
from tests.promotions import cleared, trained
from trainer.promotion.candidate import Candidate
from trainer.promotion.model_registry import ModelRegistry
from trainer.promotion.promote import promote, reference, roll_back
from trainer.promotion.version import damages, read_version

pytestmark = pytest.mark.faults

_STEPS = frozenset({"os.rename", "os.mkdir", "os.symlink", "os.chmod", "os.remove", "os.truncate"})
_AT_LEAST = 15
_BEYOND = 9


def registry_of(models: Path) -> ModelRegistry:
    return ModelRegistry(models, lambda: datetime.now(UTC))


@pytest.fixture
def story(tmp_path: Path) -> tuple[Path, Candidate]:
    """A registry in which ``old`` serves, and a run that may take its place."""
    models = tmp_path / "models"
    registry = registry_of(models)
    promote(cleared(trained(tmp_path, "old")), registry)
    new = trained(tmp_path, "new")
    return models, cleared(new, reference(registry, new))


def promoted_with(step: int, what: Callable[[], None], candidate: Candidate, models: Path) -> int:
    """Promote in a child in which ``what`` happens at that step, counted from 1; how it ended.

    ``_BEYOND``: it took fewer steps and went through.
    """
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and any(letter in str(arguments[1]) for letter in "wxa+")
        if writes or event in _STEPS:
            seen += 1
            if seen == step:
                what()

    child = os.fork()
    if child == 0:
        status = 1
        try:
            sys.addaudithook(hook)
            promote(candidate, registry_of(models))
            status = 0 if seen >= step else _BEYOND
        except Fatal as error:
            status = 3 if "is still" in str(error) else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serving(models: Path) -> str:
    """The run whose policy the alias gives, after proving that it is whole."""
    alias = models / "production"
    assert damages(alias) == {}
    return read_version(alias).run_id


def copies(models: Path) -> Iterator[tuple[int, Path]]:
    """A copy of the registry for each step, from 1."""
    for step in count(1):
        copy = models.with_name(f"copy-{step}")
        shutil.copytree(models, copy, symlinks=True)
        yield step, copy
        shutil.rmtree(copy)


def test_killed_anywhere_the_alias_gives_a_whole_policy(story: tuple[Path, Candidate]) -> None:
    models, candidate = story
    left_at: list[str] = []
    for step, copy in copies(models):
        ended = promoted_with(step, lambda: os.kill(os.getpid(), signal.SIGKILL), candidate, copy)
        if ended == _BEYOND:
            break
        assert ended == -signal.SIGKILL
        left_at.append(serving(copy))
        # whoever comes next finishes it, and can go back
        promote(candidate, registry_of(copy))
        assert serving(copy) == "new-run-id"
        roll_back(registry_of(copy))
        assert serving(copy) == "old-run-id"
    assert len(left_at) >= _AT_LEAST
    # old up to the one rename of the alias, new ever after
    assert left_at == sorted(left_at, reverse=True)
    assert set(left_at) <= {"old-run-id", "new-run-id"}


def test_a_full_disk_leaves_the_alias_where_it_was(story: tuple[Path, Candidate]) -> None:
    models, candidate = story

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    refused = 0
    for step, copy in copies(models):
        ended = promoted_with(step, full, candidate, copy)
        if ended == _BEYOND:
            break
        # 0: what failed was not needed, such as making a folder that is there
        assert ended in (0, 3)
        refused += ended == 3
        assert serving(copy) == ("old-run-id" if ended == 3 else "new-run-id")
        promote(candidate, registry_of(copy))
        assert serving(copy) == "new-run-id"
    assert refused >= _AT_LEAST


# A disk of 256 KiB in a mount namespace of its own: the first policy fits, the second does not.
ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from schemas.errors import Fatal
from tests.faults.test_promotion_kills import registry_of, serving
from tests.promotions import cleared, trained
from trainer.promotion.promote import promote, reference

folder = Path(sys.argv[1])
models = folder / "models"
models.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(models)], check=True)
registry = registry_of(models)
promote(cleared(trained(folder, "old")), registry)
new = trained(folder, "new", copies=50_000)
try:
    promote(cleared(new, reference(registry, new)), registry)
except Fatal as error:
    print(error)
print("serves", serving(models), sorted(path.name for path in (models / "versions").iterdir()))
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    inside = ("unshare", "--user", "--map-root-user", "--mount")
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("needs user and mount namespaces")
    done = subprocess.run(
        [*inside, sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    refusal, serves = done.stdout.splitlines()
    assert "No space left on device; production is still" in refusal
    assert serves.startswith("serves old-run-id ")
    assert serves.endswith("['20261101T120000-old-run-']")
