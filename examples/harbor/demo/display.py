"""What a person sees while the demo runs: each step with its time, and how far the stages are.

Everything goes to standard error, so that `--json` leaves standard output to the last line.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from trainer.policy import Progress


class Display:
    """Steps on a console; without a terminal each step is one plain line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show ``title`` while the block runs, then the seconds it took."""
        began_s = time.monotonic()
        self._title = title
        with self._console.status(title) as self._status:
            yield
        took_s = time.monotonic() - began_s
        self._console.print(f"[green]✓[/green] {title} [dim]{took_s:.1f} s[/dim]", highlight=False)
        self._status = None

    def lags(self, pending: Mapping[str, int]) -> None:
        """How many events are pending at each stage."""
        self._detail("  ".join(f"{stage} {count}" for stage, count in pending.items()))

    def published(self, done: int, total: int) -> None:
        """How many production answers are in the log."""
        self._detail(f"{done} of {total} production answers")

    def training(self, progress: Progress) -> None:
        """How far a training is."""
        numbers = "  ".join(
            f"{name} {value:.3g}"
            for name, value in progress.metrics.items()
            if name in ("loss", "rewards/margins", "rewards/accuracies")
        )
        self._detail(f"step {progress.step} of {progress.steps}  {numbers}")

    def _detail(self, text: str) -> None:
        if self._status is not None:
            self._status.update(f"{self._title}  [dim]{text}[/dim]")
