"""The dependency rule of the layout: imports only go downwards, heavy ones stay where they are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT: dict[str, set[str]] = {
    "schemas": set(),
    "infra": {"schemas"},
    "streams": {"schemas", "infra"},
    "consumers": {"schemas", "infra", "streams"},
    "trainer": {"schemas", "infra", "streams"},
    "cli": {"schemas", "infra", "streams", "consumers", "trainer", "examples"},
    "examples": {"schemas", "infra", "streams", "consumers", "trainer"},
}
TRAINING = {"torch", "trl", "transformers", "datasets", "accelerate"}


def imports(path: Path) -> Iterator[str]:
    """The absolute name of every module that the file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by absolute name"
            yield node.module or ""


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_only_go_downwards(package: str) -> None:
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[package] - {package}
    upward = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imports(path)
        if name.split(".")[0] in forbidden
    }
    assert upward == set()


def test_faust_stays_in_the_runner() -> None:
    allowed = {ROOT / "streams/faust_app.py", ROOT / "streams/ledger.py"}
    found = {
        path
        for package in MAY_IMPORT
        for path in files(package)
        for name in imports(path)
        if name.split(".")[0] in {"faust", "mode", "aiokafka"}
    }
    assert found <= allowed


def test_torch_stays_in_the_trainer_and_the_model_backend() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in MAY_IMPORT
        for path in files(package)
        for name in imports(path)
        if name.split(".")[0] in TRAINING
    }
    elsewhere = {
        name
        for name in found
        if not name.startswith(("trainer/", "streams/inference/", "examples/"))
    }
    assert elsewhere == set()


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from cli.main import app; "
        "r = CliRunner().invoke(app, ['--help']); assert r.exit_code == 0, r.output; "
        "print(*sorted({'torch', 'trl', 'transformers', 'faust', 'chdb', 'duckdb'} "
        "& sys.modules.keys()))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
