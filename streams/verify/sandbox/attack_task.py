"""The task that tries one attack in a child of the SQL pool, for ``doctor sandbox``."""

from typing import Any

from streams.verify.sandbox import attacks


def run(request: dict[str, Any]) -> object:
    """Call the attack of this name; what it raises is that it was stopped."""
    return getattr(attacks, request["attack"])(*request["arguments"])
