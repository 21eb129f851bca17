"""A process that lives only as long as another one keeps saying so."""

import os
import select
import threading
from typing import Final

# Of sysexits.h, EX_TEMPFAIL: what was under way may be done again.
EXIT_CODE: Final = 75


def live_by(descriptor: int, lease_s: float) -> None:
    """End this process at once when nothing was written to the descriptor for ``lease_s``.

    Or when its other end is closed, as the kernel does where the writer is killed. A thread of its
    own watches, so that it happens whatever the process is busy with.
    """
    watcher = threading.Thread(target=_watch, args=(descriptor, lease_s), daemon=True)
    watcher.start()


def _watch(descriptor: int, lease_s: float) -> None:
    while select.select([descriptor], [], [], lease_s)[0] and os.read(descriptor, 4096):
        pass
    os._exit(EXIT_CODE)
