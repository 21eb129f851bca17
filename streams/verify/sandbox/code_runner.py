"""What runs in the process of one submission: confine, load the code, run its tests, send outputs.

The code shares this process and can do anything here, also write replies itself. So nothing here
decides anything: only outputs leave, and what is expected of them never enters.
"""

import json
import os
import random
import socket
import sys
import types
from typing import Any

from streams.verify.sandbox import landlock, read_only_root
from streams.verify.sandbox.confine import ACTIVE as _ACTIVE
from streams.verify.sandbox.confine import (
    Report,
    attempt,
    give_up,
    limit_resources,
    readable_paths,
)
from streams.verify.sandbox.frame import frame, read_frame
from streams.verify.sandbox.limits import CodeLimits
from streams.verify.sandbox.namespaces import PRIVATE_FOLDER, mount_private_folder
from streams.verify.sandbox.plain import pack

_MODULE = "solution"
_MESSAGE_CHARACTERS = 300


def serve(descriptor: int, limits: CodeLimits, report: Report, parent_pid: int) -> None:
    """Confine this process, report how, then take one request and answer it."""
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, limits.open_files)
    connection = socket.socket(fileno=descriptor)
    protections = report | _confine(limits, parent_pid)
    connection.sendall(frame(json.dumps(protections).encode("ascii")))
    payload = read_frame(connection)
    if payload is not None:
        _run(json.loads(payload), connection, limits)
        read_frame(connection)  # the parent ends this process, nothing in it does


def _confine(limits: CodeLimits, parent_pid: int) -> Report:
    folder = attempt(lambda: mount_private_folder(limits.folder_bytes, limits.folder_files))
    report = {"private_folder": folder}
    report |= limit_resources(
        address_space_bytes=limits.address_space_bytes,
        file_bytes=limits.file_bytes if folder == _ACTIVE else 0,
        open_files=limits.open_files,
        cpu_s=int(limits.submission_s) + 1,
    )
    own = (PRIVATE_FOLDER,) if folder == _ACTIVE else ()
    fallback = _without_landlock() if folder == _ACTIVE else {}
    given_up = give_up(parent_pid=parent_pid, readable=(), own=own, threads=False, installed=False)
    return report | given_up | fallback


def _without_landlock() -> Report:
    """Where the kernel has no Landlock: a root of read-only mounts, if that can be had."""
    try:
        landlock.abi()
    except OSError as error:
        paths = readable_paths(installed=False)
        state = attempt(lambda: read_only_root.enter(paths, PRIVATE_FOLDER))
        return {"file_system": state if state == _ACTIVE else f"no Landlock: {error}; {state}"}
    return {}


def _run(request: dict[str, Any], connection: socket.socket, limits: CodeLimits) -> None:
    random.seed(0)
    module = types.ModuleType(_MODULE)
    sys.modules[_MODULE] = module
    try:
        exec(compile(request["source"], f"{_MODULE}.py", "exec"), module.__dict__)  # noqa: S102
        loaded = None
    except BaseException as error:  # also SystemExit: nothing in the code ends this process kindly
        loaded = _failed(error)
    connection.sendall(frame(json.dumps({"loaded": loaded}).encode("ascii")))
    if loaded is not None:
        return
    for number, test in enumerate(request["tests"]):
        outputs = _outputs(test, {**module.__dict__, **test["bind"]})
        reply = json.dumps({"test": number, "outputs": outputs}).encode("ascii")
        if len(reply) > limits.result_bytes:
            large = {"raised": ["TooLarge"], "message": f"over {limits.result_bytes} bytes"}
            reply = json.dumps({"test": number, "outputs": [large]}).encode("ascii")
        connection.sendall(frame(reply))


def _outputs(test: dict[str, Any], namespace: dict[str, Any]) -> list[dict[str, Any]]:
    """One output a step, as far as they came."""
    outputs: list[dict[str, Any]] = []
    for kind, source in test["steps"]:
        try:
            if kind == "exec":
                exec(source, namespace)  # noqa: S102
                outputs.append({"value": None})
            else:
                outputs.append({"value": pack(eval(source, namespace))})  # noqa: S307
        except BaseException as error:  # whatever is thrown is what the test gave
            outputs.append(_failed(error))
            if kind != "raises":
                break
    return outputs


def _failed(error: BaseException) -> dict[str, Any]:
    names = [each.__name__ for each in type(error).__mro__]
    return {"raised": names, "message": str(error)[:_MESSAGE_CHARACTERS]}
