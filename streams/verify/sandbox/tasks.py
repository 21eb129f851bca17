"""What children can run besides SQL, by name. Standard library only: the child imports it.

A task is a module with ``def run(request: dict[str, JSON]) -> JSON``. It runs text nobody trusts,
under the limits of a query: what it raises, and what it does to its child, is that text's failure.
It imports what it needs of ours at its top: once a child is confined it can read Python's standard
library and installed packages, and no more of this project.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Task: TypeAlias = Callable[[dict[str, Any]], object]

TASKS: dict[str, str] = {
    "attack": "streams.verify.sandbox.attack_task",
    "expression": "streams.verify.expression_task",
    "json": "streams.verify.json_task",
}
"""Module by task name. The parent looks a name up here: a request can name no other module."""


def task_modules(names: Sequence[str]) -> dict[str, str]:
    """The modules of these tasks; raises ValueError for a name that is no task."""
    unknown = sorted(set(names) - TASKS.keys())
    if unknown:
        raise ValueError(f"no task {', '.join(unknown)}; there are: {', '.join(sorted(TASKS))}")
    return {name: TASKS[name] for name in names}


def load_tasks(modules: dict[str, str]) -> dict[str, Task]:
    """The functions to call, imported now so that no request waits for it."""
    return {name: importlib.import_module(module).run for name, module in modules.items()}
