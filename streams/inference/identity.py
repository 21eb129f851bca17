"""Which model gave an answer: other weights are another model, so a config_hash covers it."""

import hashlib
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from schemas.errors import Fatal
from streams.inference.chat import ChatModel

LOCAL: Final = "path:"
"""Marks a reference to a folder, as in ``path:checkpoints/policy``."""
ENDPOINT: Final = "openai:"
"""Marks a reference to a model of the configured endpoint, as in ``openai:gpt-4o-mini``."""

# What changes an answer; README files and training state do not.
_DECIDING: Final = (".safetensors", ".json", ".jinja", ".model", ".txt")
_WEIGHTS: Final = ".safetensors"


def folder_fingerprint(folder: Path) -> str:
    """Hash of the folder's weights, configuration and tokenizer, wherever it lies.

    Reads every byte (about 1 s for each GB). Raises ``Fatal`` where it holds no model.
    """
    if not folder.is_dir():
        raise Fatal(f"{folder}: no such model folder; correct the path, or train the model first")
    files = sorted(file for file in folder.iterdir() if file.suffix in _DECIDING)
    if not any(file.suffix == _WEIGHTS for file in files):
        raise Fatal(
            f"{folder} holds no weights (*{_WEIGHTS}); name the folder that save_pretrained wrote"
        )
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{file.name}\0{content}\0".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def endpoint_model(ref: str) -> str:
    """The name that the endpoint knows the model by: ``openai:NAME``, or ``NAME`` alone."""
    return ref.removeprefix(ENDPOINT)


def model_name(ref: str) -> str:
    """What the model is called in events: the folder's own name, or the name at an endpoint."""
    if ref.startswith(LOCAL):
        return Path(ref.removeprefix(LOCAL)).resolve().name
    return endpoint_model(ref)


def model_identity(ref: str) -> str:
    """What tells this model from all others: fingerprint of a folder, name at an endpoint.

    Raises ``Fatal`` where the folder holds no model.
    """
    if ref.startswith(LOCAL):
        return folder_fingerprint(Path(ref.removeprefix(LOCAL)))
    return endpoint_model(ref)


@runtime_checkable
class _Fingerprinted(Protocol):
    """A model that knows which weights it has, wherever they lie."""

    fingerprint: str


def known_identity(model: ChatModel) -> str:
    """The model's name, with the fingerprint of its weights where this process knows it."""
    if isinstance(model, _Fingerprinted):
        return f"{model.model}@{model.fingerprint}"
    return model.model


def resolved(ref: str, folder: Path) -> str:
    """The reference with a relative ``path:DIR`` counted from ``folder``, wherever it is used."""
    if ref.startswith(LOCAL):
        return f"{LOCAL}{(folder / ref.removeprefix(LOCAL)).resolve()}"
    return ref
