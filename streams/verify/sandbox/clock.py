"""The kernel's clocks of one request: they end the process, whatever code is running then."""

import resource
import signal

from streams.verify.sandbox.limits import Limits


def arm(limits: Limits) -> None:
    """Start them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    allowed_s = int(used.ru_utime + used.ru_stime + limits.wall_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed_s, hard))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s)


def disarm() -> None:
    """Stop them: the request came back."""
    signal.setitimer(signal.ITIMER_REAL, 0)
