"""How much protection is enough: below it nothing untrusted runs. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import Fatal
from streams.verify.sandbox.confine import ACTIVE

_SYSTEM_CALLS_REMEDY = (
    "run on Linux (x86_64 or aarch64) with seccomp, which every container engine allows"
)
_REMEDY = {
    "file_system": (
        "run on a kernel with Landlock (Linux 5.13 or later, 'landlock' among the boot parameter "
        "lsm=) and a container profile that allows it"
    ),
    "system_calls": _SYSTEM_CALLS_REMEDY,
    "new_privileges": _SYSTEM_CALLS_REMEDY,
}
_OTHER_REMEDY = "see what stands against it with: prefstream doctor sandbox"


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The protections without which text of one kind does not run."""

    kind: str
    required: tuple[str, ...]

    def missing(self, protections: Mapping[str, str]) -> dict[str, str]:
        """Which of them are not active, and why not."""
        states = {name: protections.get(name, "not reported") for name in self.required}
        return {name: state for name, state in states.items() if state != ACTIVE}

    def require(self, protections: Mapping[str, str]) -> None:
        """Raise Fatal with the remedy where one is missing."""
        missing = self.missing(protections)
        if missing:
            found = "; ".join(f"{name} ({why})" for name, why in missing.items())
            remedies = dict.fromkeys(_REMEDY.get(name, _OTHER_REMEDY) for name in missing)
            raise Fatal(
                f"the sandbox would not hold {self.kind}, so none is run; missing: {found}; "
                f"remedy: {'; '.join(remedies)}"
            )


SQL_FLOOR = Floor(
    kind="SQL", required=("memory", "files_written", "new_privileges", "system_calls")
)
"""The engines are locked by their own settings, so files outside are closed twice where Landlock
is; without sockets and programs there is nowhere to go.
"""

CODE_FLOOR = Floor(
    kind="code",
    required=(
        *SQL_FLOOR.required,
        *("cpu", "core_dump", "capabilities", "tracing", "orphan", "file_system"),
    ),
)
"""Code has every right of its process: what it cannot reach, the kernel must close."""
