"""How far the demo's stages fall behind its traffic, and how soon they have caught up.

    python -m bench.demo_lags [--full] [--json]

Runs the demo's first half on Kafka (simulated people and production fill the topics, the stages
work) and asks every half second how many events are pending at each stage and at the sink. One
line each: the most that ever waited, and the seconds from the first event until it last had
something waiting. What it is measured against is the production of the answers itself, whose
seconds are the last line.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console

from consumers.clickhouse.lag import pending as pending_by_topic
from examples.harbor.demo.display import Display
from examples.harbor.demo.fill import fill
from examples.harbor.demo.kafka_backend import running_on_kafka
from examples.harbor.demo.sizes import FULL, QUICK, Sizes
from examples.harbor.demo.workspace import lay_out
from infra.settings import Settings
from streams.lag import pending_by_stage

_LOOK_S = 0.5


def measure(sizes: Sizes, root: Path) -> dict[str, dict[str, float]]:
    """By stage (and ``sink``): the most events pending, and the second of the last one."""
    workspace = lay_out(root / "demo", sizes.measuring_copies)
    most: dict[str, float] = {}
    last_s: dict[str, float] = {}
    with running_on_kafka(Settings(data_dir=root / "stack"), workspace.project) as backend:
        display = Display(Console(stderr=True))
        filling = threading.Thread(target=fill, args=(backend, workspace, sizes, display))
        began_s = time.monotonic()
        filling.start()
        filled_s = 0.0
        while True:
            filled = not filling.is_alive()
            now_s = time.monotonic() - began_s
            if filled and not filled_s:
                filled_s = now_s
            pending = pending_by_stage(backend.settings)
            pending["sink"] = sum(pending_by_topic(backend.settings).values())
            for name, count in pending.items():
                most[name] = max(most.get(name, 0), count)
                last_s[name] = now_s if count else last_s.get(name, 0.0)
            if filled and not any(pending.values()):
                break
            time.sleep(_LOOK_S)
    figures = {
        name: {"most_pending": most[name], "caught_up_s": round(last_s[name], 1)} for name in most
    }
    return figures | {"production": {"seconds": round(filled_s, 1)}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="The whole demo's traffic.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prefstream-lags-") as folder:
        figures = measure(FULL if options.full else QUICK, Path(folder))
    if options.json:
        print(json.dumps(figures))
        return
    for name, values in figures.items():
        print(f"{name:12}" + "  ".join(f"{key} {value:,.4g}" for key, value in values.items()))


if __name__ == "__main__":
    main()
