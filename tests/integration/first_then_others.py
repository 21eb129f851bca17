"""One of two processes that work one after the other; prints what the other had done by then.

python -m torch.distributed.run --nproc-per-node=2 -m tests.integration.first_then_others FOLDER
"""

import sys
from pathlib import Path

from accelerate import PartialState

from tests.waiting import seen_within
from trainer import processes


def main() -> None:
    """The second one dawdles for as long as the first might go on without it."""
    folder = Path(sys.argv[1])
    PartialState(cpu=True, backend="gloo")

    def work() -> None:
        if not processes.is_first():
            seen_within(1.0, (folder / "first went on").exists)
            (folder / "second worked").touch()

    processes.first_before_others(work)
    if processes.is_first():
        print("second worked:", (folder / "second worked").exists())
        (folder / "first went on").touch()


if __name__ == "__main__":
    main()
