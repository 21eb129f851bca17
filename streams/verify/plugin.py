"""Verifiers from other packages: what one is, and how it becomes a check."""

import asyncio
import inspect
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Protocol

from schemas.errors import ConfigError
from schemas.records import Check, CheckStatus, Expectation, Message, Passage, Record
from streams.verify.check import Finding, Subject, raised

GROUP: Final = "prefstream.verifiers"
"""The entry point group: each entry is a class (or function) that makes a ``VerifierPlugin``."""


class CheckedCompletion(Record):
    """What a plug-in is asked about: one answer, the prompt, and what was retrieved for it."""

    output: str
    messages: tuple[Message, ...] = ()
    context: tuple[Passage, ...] = ()
    expectations: tuple[Expectation, ...] = ()


class VerifierPlugin(Protocol):
    """A check written elsewhere; the options of ``verify.plugins`` are its keyword arguments.

    ``check`` may be a coroutine; a plain function runs in a thread. Of the Check that it returns
    status, score and evidence count; it carries the plug-in's own name, version and ``hard``.
    ``version`` must change whenever its verdicts do.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def hard(self) -> bool: ...
    def check(self, completion: CheckedCompletion, /) -> Check | Awaitable[Check]: ...


@dataclass(frozen=True, kw_only=True)
class PluginCheck:
    """A plug-in as a check. What it raises, and what it returns that is no Check, is ERROR."""

    plugin: VerifierPlugin
    limit_s: float

    @property
    def name(self) -> str:
        return self.plugin.name

    @property
    def version(self) -> str:
        return self.plugin.version

    @property
    def hard(self) -> bool:
        return self.plugin.hard

    async def __call__(self, subject: Subject) -> Finding:
        completion = CheckedCompletion(
            output=subject.output,
            messages=subject.messages,
            context=subject.context,
            expectations=subject.expectations,
        )
        try:
            async with asyncio.timeout(self.limit_s) as clock:
                found = await self._ask(completion)
        except TimeoutError as error:
            said = f"{self.name} gave no answer in {self.limit_s:g} s"
            return _error(said if clock.expired() else raised(self.name, error))
        # Also Fatal and its like: an optional check of others may not end a worker.
        except Exception as error:
            return _error(raised(self.name, error))
        if not isinstance(found, Check):
            return _error(f"{self.name} returned {type(found).__name__} and no Check")
        if found.score is not None and not 0 <= found.score <= 1:
            return _error(f"{self.name} gave the score {found.score}, which is not in [0, 1]")
        return Finding(status=found.status, score=found.score, evidence=found.evidence)

    async def _ask(self, completion: CheckedCompletion) -> object:
        if inspect.iscoroutinefunction(self.plugin.check):
            return await self.plugin.check(completion)
        found: object = await asyncio.to_thread(self.plugin.check, completion)
        return await found if inspect.isawaitable(found) else found


def load_plugins(
    wanted: Mapping[str, Mapping[str, Any]], taken: Sequence[str], limit_s: float
) -> list[PluginCheck]:
    """The plug-ins that ``verify.plugins`` switches on, in its order, as checks.

    ``taken`` are the names of other checks. Raises ``ConfigError`` that says which plug-in cannot
    be used, and why.
    """
    installed: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP) if wanted else ():
        installed.setdefault(entry.name, []).append(entry)
    checks: list[PluginCheck] = []
    names = set(taken)
    for key, options in wanted.items():
        plugin = _make(key, installed, options)
        if plugin.name in names:
            raise ConfigError(
                f"verify.plugins.{key}: there is a check named {plugin.name!r} already; "
                "switch one of the two off"
            )
        names.add(plugin.name)
        checks.append(PluginCheck(plugin=plugin, limit_s=limit_s))
    return checks


def _make(
    key: str, installed: Mapping[str, Sequence[EntryPoint]], options: Mapping[str, Any]
) -> VerifierPlugin:
    where = f"verify.plugins.{key}"
    entries = installed.get(key, ())
    if not entries:
        known = ", ".join(sorted(installed)) or "none"
        raise ConfigError(
            f"{where}: no installed package has such an entry point in {GROUP}; there are: {known}"
        )
    if len({entry.value for entry in entries}) > 1:
        values = " and ".join(sorted(entry.value for entry in entries))
        raise ConfigError(f"{where}: two packages claim that name, {values}; remove one")
    try:
        plugin = entries[0].load()(**options)
    except Exception as error:
        raise ConfigError(
            f"{where}: {entries[0].value} cannot be made with the options {dict(options)}: "
            f"{type(error).__name__}: {error}"
        ) from error
    _check_attributes(where, plugin)
    return plugin  # type: ignore[no-any-return] # its attributes have just been looked at


def _check_attributes(where: str, plugin: object) -> None:
    for name, kind in (("name", str), ("version", str), ("hard", bool)):
        value = getattr(plugin, name, None)
        if not isinstance(value, kind) or value == "":
            raise ConfigError(
                f"{where}: {type(plugin).__name__}.{name} is {value!r}; "
                f"a verifier needs name and version (texts), hard (true or false) and check()"
            )
    if not callable(getattr(plugin, "check", None)):
        raise ConfigError(f"{where}: {type(plugin).__name__} has no method check(completion)")


def _error(evidence: str) -> Finding:
    return Finding(status=CheckStatus.ERROR, evidence=evidence)
