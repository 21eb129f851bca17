"""Loads torch while the broker starts: one core would be idle otherwise."""

from importlib import import_module
from threading import Thread

from infra.start_up import start_up


def preload() -> None:
    """Begin to load what opening a model needs; whoever opens one waits for the rest of it."""
    Thread(target=_load, name="preload", daemon=True).start()


def _load() -> None:
    with start_up():
        import_module("streams.inference.in_process")
