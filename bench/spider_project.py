"""A project directory for Spider: what `prefstream worker STAGE --project` reads."""

import json
from pathlib import Path

from streams.pipeline import FILE_NAME
from streams.verify.settings import MatchSemantics


def write_project(folder: Path, data: Path, match: MatchSemantics) -> Path:
    """Write ``pipeline.yaml``: the SQLite files of ``data``, and no judge. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = {
        "workload": "spider",
        "verify": {"sqlite_root": str((data / "database").resolve()), "match": match},
    }
    # JSON is YAML, and quotes paths right
    (folder / FILE_NAME).write_text(json.dumps(pipeline, indent=2), encoding="utf-8")
    return folder
