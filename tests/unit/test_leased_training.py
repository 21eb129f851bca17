"""What a training that ended says of why."""

import errno
import os
import sys
from pathlib import Path

import pytest

from cli.leased_training import LeasedTraining
from infra.settings import Settings
from schemas.errors import Fatal
from tests.promotions import run
from tests.waiting import wait_until


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("step 3\nprefstream: the disk is full\nleaked 1 instance of nanobind", "the disk is full"),
        ("prefstream: first\nprefstream: last", "last"),
        ("Traceback\nnoise prefstream: of a library", "ended with exit code 3; see {log}"),
        ("", "ended with exit code 3; see {log}"),
    ],
)
def test_the_sentence_is_found_among_what_libraries_write(
    tmp_path: Path, printed: str, said: str
) -> None:
    command = [sys.executable, "-c", f"print({printed!r}); raise SystemExit(3)"]
    training = LeasedTraining(Settings(data_dir=tmp_path), command, run("x"), "x")
    wait_until(training.ended, "its end")
    assert training.last_words() == said.format(log=training.log)
    assert Path(training.log).name == "x.log"


def test_no_room_for_its_log_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(Fatal, match="no room to write"):
        LeasedTraining(Settings(data_dir=tmp_path), [sys.executable, "-c", ""], run("x"), "x")
