from pathlib import Path

import pytest

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from streams.filter_rules import FilterSettings
from streams.pair import PairSettings
from streams.pipeline import load_pipeline


class Both(FilterSettings):
    """A file with a nested section."""

    pair: PairSettings = PairSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_margin: [", r":1: invalid YAML: .*; fix the syntax"),
        ("# pipeline\nmin_margn: 1\n", r":2: unknown key min_margn; did you mean min_margin\?"),
        (
            "pair:\n  rubric_id: x\n  max_pairs: 2\n",
            r":3: unknown key pair.max_pairs; did you mean max_pairs_per_prompt\?",
        ),
        (
            "pair:\n  zzz: 2\n",
            r":2: unknown key pair.zzz; remove it; known keys: carry_set, max_pairs_per",
        ),
        ("\nmin_agreement: 1.5\n", r":2: min_agreement is '1.5': .*less than or equal to 1"),
        ("pair: 3\n", r":1: pair is '3'"),
        ("- 1\n", r":1: the file is"),
    ],
)
def test_the_error_names_line_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_yaml(path, Both)
    assert str(caught.value).startswith(str(path))


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_yaml(tmp_path / "none.yaml", Both)
    (tmp_path / "latin.yaml").write_bytes(b"min_margin: \xff")
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        load_yaml(tmp_path / "latin.yaml", Both)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    assert load_yaml(tmp_path / "empty.yaml", Both) == Both()


def test_a_folder_that_is_no_project_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no pipeline\.yaml; name .* by --project"):
        load_pipeline(tmp_path)
    with pytest.raises(ConfigError, match=r"no such project directory; name one by --project"):
        load_pipeline(tmp_path / "typo")
