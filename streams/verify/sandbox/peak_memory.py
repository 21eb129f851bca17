"""How much memory one request took at most. Standard library only: the child uses it."""

import os
import re

_STATUS_BYTES = 4096
_PEAK = re.compile(rb"VmHWM:\s*(\d+) kB")
# Written to clear_refs it sets the peak of resident memory back to what is resident now (proc(5)).
_RESET = b"5"


class PeakMemory:
    """The peak of this process since ``reset``. Make it while /proc can still be opened."""

    def __init__(self) -> None:
        try:
            self._status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
            self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._status = self._clear = -1

    def reset(self) -> None:
        """Count from now on."""
        if self._clear >= 0:
            try:
                os.pwrite(self._clear, _RESET, 0)
            except OSError:
                self._clear = -1

    def kib(self) -> int | None:
        """Resident KiB at most since ``reset``; None where the kernel does not tell."""
        if self._clear < 0:
            return None
        found = _PEAK.search(os.pread(self._status, _STATUS_BYTES, 0))
        return int(found[1]) if found else None
