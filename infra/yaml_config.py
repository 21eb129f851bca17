"""YAML files into frozen models, with the file, the line and the remedy in every error."""

from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


def load_yaml(path: Path, model: type[M]) -> M:
    """The file as a ``model``.

    Raises ``ConfigError`` that reads ``FILE:LINE: what is wrong; what to do``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; create it or name another one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}:{line}: invalid YAML: {error.problem}; fix the syntax") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError as error:
        problems = [_sentence(path, root, model, detail) for detail in error.errors()]
        raise ConfigError("\n".join(problems)) from None


def _sentence(
    path: Path, root: yaml.Node | None, model: type[BaseModel], detail: ErrorDetails
) -> str:
    where = ".".join(str(part) for part in detail["loc"]) or "the file"
    line = _line(root, detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{path}:{line}: unknown key {where}; {_suggestion(model, detail['loc'])}"
    if detail["type"] == "missing":
        return f"{path}:{line}: {where} is missing; add it"
    given = str(detail.get("input"))
    shown = given if len(given) <= 60 else given[:60] + "…"
    return f"{path}:{line}: {where} is {shown!r}: {detail['msg']}; change it"


def _line(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """The 1-based line of the deepest part of ``loc`` that stands in the file."""
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _suggestion(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    inner: type[BaseModel] | None = model
    for part in loc[:-1]:
        inner = _model_of(inner, part)
        if inner is None:
            return "remove it"
    known = sorted(inner.model_fields) if inner else []
    close = get_close_matches(str(loc[-1]), known, n=1)
    return f"did you mean {close[0]}?" if close else f"remove it; known keys: {', '.join(known)}"


def _model_of(model: type[BaseModel] | None, part: int | str) -> type[BaseModel] | None:
    if model is None or isinstance(part, int):
        return model
    field = model.model_fields.get(part)
    if field is None:
        return None
    pending = [field.annotation]
    while pending:
        candidate = pending.pop()
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
        pending.extend(get_args(candidate))
    return None
