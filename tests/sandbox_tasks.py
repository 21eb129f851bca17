"""Tasks that tests give to a sandbox pool: each module of this kind has one function, ``run``."""

import os
import time
from typing import Any


def run(request: dict[str, Any]) -> object:
    """Do what ``request["do"]`` says."""
    match request["do"]:
        case "echo":
            return request["value"]
        case "raise":
            raise ValueError(request["value"])
        case "nan":
            return float("nan")
        case "object":
            return object()
        case "exit":
            os._exit(0)
        case "sleep":
            time.sleep(60)
        case "hog":
            return len(bytearray(64 * 1024**3))
    return None
