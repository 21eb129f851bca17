"""One of the processes of a training, as torchrun starts it: ALGORITHM POLICY OUT SETTINGS."""

import json
import sys
from pathlib import Path

from tests.pair_rows import PAIR_ROWS
from trainer import processes
from trainer.algorithms import ALGORITHMS


def main() -> None:
    """The first process prints what it trained; the others print nothing."""
    name, policy, out, settings = sys.argv[1:]
    one = ALGORITHMS[name]
    train = one.with_config(one.config.model_validate_json(settings))
    if not processes.is_first():
        processes.follow(train)
        return
    with processes.leading(train) as together:
        if out == "nothing":
            return
        print(json.dumps(together(PAIR_ROWS, Path(policy), Path(out), lambda _: None).metrics))


if __name__ == "__main__":
    main()
