"""How torch's threads wait for each other, set before torch is loaded."""

import os


def wait_passively() -> None:
    """Have OpenMP's threads sleep, not spin, while they wait.

    Beside a broker and workers on few cores spinning costs a factor of ten (measured: 2 threads on
    2 cores at load 8, 110 against 1,300 tokens/s). libgomp reads the variable once, as torch loads
    it, so call this where a package that needs torch is first imported. A value that is already in
    the environment stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
