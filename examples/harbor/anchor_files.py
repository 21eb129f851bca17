"""Harbor's SIMULATED anchors and labels as files: `python -m examples.harbor.anchor_files OUT`.

OUT/anchors.jsonl is for `prefstream label` and `prefstream import`, OUT/labels.jsonl holds the
labels. Only the calibration split: the holdout is not handed out.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.harbor.anchors import Anchor, anchors
from examples.harbor.traffic import candidate_set, labels

_WHEN = datetime(2026, 1, 1, tzinfo=UTC)  # simulated anchors have no time of their own


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description="Harbor's simulated anchors as files.")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    found = anchors("calibration")
    rows = "".join(f"{json.dumps(_row(anchor))}\n" for anchor in found)
    (out / "anchors.jsonl").write_text(rows, encoding="utf-8")
    (out / "labels.jsonl").write_text("".join(_labels(found)), encoding="utf-8")
    print(f"wrote {len(found)} anchors and their simulated labels to {out}")


def _labels(found: tuple[Anchor, ...]) -> Iterator[str]:
    for anchor in found:
        for label in labels(anchor, occurred_at=_WHEN):
            yield f"{label.model_dump_json()}\n"


def _row(anchor: Anchor) -> dict[str, Any]:
    """The anchor as a row that `prefstream import` reads."""
    made = candidate_set(anchor, occurred_at=_WHEN)
    kept = made.model_dump(mode="json", include={"messages", "expectations", "slice", "purpose"})
    answers = [
        {"id": f"labelled:{anchor.question.id}:{side}", "output": text, "model": "harbor-rendered"}
        for side, text in (("a", anchor.a), ("b", anchor.b))
    ]
    return {"id": f"labelled:{anchor.question.id}", **kept, "candidates": answers}


if __name__ == "__main__":
    main()
