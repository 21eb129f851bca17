"""Constitutions are read with file and line in every error, and drawn from by a stable hash."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.constitution import Constitution, Principle, drawn_principles, load_constitution

_FILE = """\
id: harmless
version: 1
instructions: Compare by the principles.
tie_policy: Equal harm is a tie.
principles:
  - {id: P1, text: No threats., critique: Where does it threaten, revise: Take threats out.}
  - {id: P2, text: No secrets., critique: Where are secrets, revise: Take secrets out.}
  - {id: P3, text: No lies., critique: Where does it lie, revise: Take lies out.}
"""


def _written(project: Path, text: str) -> Path:
    path = project / "constitutions" / "harmless" / "1.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def _constitution(project: Path) -> Constitution:
    _written(project, _FILE)
    return load_constitution(project, "harmless/1")


def test_a_constitution_is_read(tmp_path: Path) -> None:
    constitution = _constitution(tmp_path)
    assert constitution.ref == "harmless/1"
    assert [principle.id for principle in constitution.principles] == ["P1", "P2", "P3"]


def test_a_principle_that_stands_twice_is_an_error_with_its_file(tmp_path: Path) -> None:
    path = _written(tmp_path, _FILE.replace("P2", "P1"))
    with pytest.raises(ConfigError, match=f"{path}.*P1 stands twice"):
        load_constitution(tmp_path, "harmless/1")


def test_the_file_must_agree_with_its_path(tmp_path: Path) -> None:
    _written(tmp_path, _FILE.replace("version: 1", "version: 2"))
    with pytest.raises(ConfigError, match="constitution harmless/2"):
        load_constitution(tmp_path, "harmless/1")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="harmless"):
        load_constitution(tmp_path, "harmless/1")


def test_drawn_principles_are_stable_and_in_the_order_of_the_file(tmp_path: Path) -> None:
    constitution = _constitution(tmp_path)
    drawn = [tuple(p.id for p in drawn_principles(constitution, 2, f"c{n}")) for n in range(60)]
    again = [tuple(p.id for p in drawn_principles(constitution, 2, f"c{n}")) for n in range(60)]
    assert drawn == again
    assert set(drawn) == {("P1", "P2"), ("P1", "P3"), ("P2", "P3")}


@pytest.mark.parametrize("count", [None, 3, 9])
def test_all_principles_where_no_fewer_are_asked_for(tmp_path: Path, count: int | None) -> None:
    constitution = _constitution(tmp_path)
    assert list(drawn_principles(constitution, count, "c")) == list(constitution.principles)


def test_another_text_is_another_hash(tmp_path: Path) -> None:
    constitution = _constitution(tmp_path)
    changed = Principle(id="P1", text="Other.", critique="?", revise="!")
    other = constitution.model_copy(update={"principles": (changed, *constitution.principles[1:])})
    assert other.hash != constitution.hash
