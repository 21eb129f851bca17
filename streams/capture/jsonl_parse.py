"""Bytes of a line into a row, strictly: nothing is guessed and nothing is dropped."""

import difflib
import json
from typing import Final, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.events import MAX_TEXT_BYTES
from streams.capture.jsonl_line import MAX_LINE_BYTES, RawLine, Reason
from streams.capture.jsonl_row import OUTPUT_ALIASES, CompletionRow, SetRow

# One of these tells a set from a completion.
_SET_FIELDS: Final = ("outputs", "candidates")


class Refusal(Exception):
    """Why a line is no row."""

    def __init__(self, reason: Reason, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem


def parse_row(line: RawLine) -> CompletionRow | SetRow:
    """The line's row; raises ``Refusal``."""
    if not line.whole:
        raise Refusal(
            "line_too_large",
            f"the line is {line.total_bytes:,} bytes long and at most {MAX_LINE_BYTES:,} are read; "
            "split it",
        )
    fields = _object(_text(line.content))
    model = SetRow if any(name in fields for name in _SET_FIELDS) else CompletionRow
    try:
        # by JSON again: only so are enumerations and times strict in the way of JSON
        row = model.model_validate_json(line.content)
    except ValidationError as error:
        raise _refusal(error.errors()[0], model) from None
    _check(row)
    return row


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(
            "invalid_utf8",
            f"byte {error.start + 1} (0x{content[error.start]:02x}) is not UTF-8; "
            "write the file as UTF-8",
        ) from None


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise Refusal(
            "malformed_json", f"{error.msg} at character {error.pos + 1}; write one object a line"
        ) from None
    except (RecursionError, ValueError) as error:  # nested too deep; a number of too many digits
        raise Refusal("malformed_json", f"{error}; write one object a line") from None
    if not isinstance(value, dict):
        raise Refusal(
            "not_an_object", f"the line holds a {type(value).__name__}; write one object a line"
        )
    return value


def _no_constant(name: str) -> NoReturn:
    raise Refusal("not_a_number", f"{name} is no JSON number; leave the field out where unknown")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal("malformed_json", f"the field {twice!r} stands twice; keep one")
    return fields


def _refusal(detail: ErrorDetails, model: type[CompletionRow] | type[SetRow]) -> Refusal:
    where = ".".join(str(part) for part in detail["loc"])
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    match detail["type"]:
        case "extra_forbidden" if name in OUTPUT_ALIASES and model is CompletionRow:
            return Refusal("unknown_field", f"{where}: the answer is given twice; keep one")
        case "extra_forbidden":
            known = [*model.model_fields, *OUTPUT_ALIASES]
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else "remove it, or keep it in `tags`"
            return Refusal("unknown_field", f"{where} is no field of a row; {remedy}")
        case "missing":
            return Refusal("missing_field", f"{where} is missing; add it")
        case "finite_number":
            return Refusal("not_a_number", f"{where} is beyond all numbers; correct it")
        case "json_invalid":
            # Python's parser took it: what is left are lone surrogates, which no text can hold
            return Refusal("malformed_json", f"{detail['msg']}; write one object a line")
    return Refusal("invalid_value", f"{where}: {detail['msg']}; correct it")


def _check(row: CompletionRow | SetRow) -> None:
    messages = row.chat()
    if row.messages is not None and row.prompt is not None:
        raise Refusal("invalid_value", "both `messages` and `prompt` are given; keep one")
    if row.messages is None and row.prompt is None:
        raise Refusal("missing_field", "there is no prompt; add `messages` or `prompt`")
    if not any(message.content.strip() for message in messages):
        raise Refusal("empty_prompt", "the prompt has no text; remove the line or add the text")
    if isinstance(row, CompletionRow):
        answers = {"output": row.output}
    elif row.outputs is not None and row.candidates is not None:
        raise Refusal("invalid_value", "both `outputs` and `candidates` are given; keep one")
    else:
        answers = {f"answer {n}": answer.output for n, answer in enumerate(row.answers(), start=1)}
        if not answers:
            raise Refusal("empty_set", "the set has no answers; remove the line or add some")
        ids = [one for one in (row.id, *(answer.id for answer in row.answers())) if one is not None]
        if len(set(ids)) < len(ids):
            raise Refusal(
                "contradictory_duplicate",
                "the set and its candidates need an id each, or none; correct the one that is "
                "there twice",
            )
    for name, text in answers.items():
        if not text.strip():
            raise Refusal("empty_completion", f"{name} has no text; remove it")
    prompts = {f"message {n}": m.content for n, m in enumerate(messages, start=1)}
    for name, text in {**prompts, **answers}.items():
        size = len(text.encode("utf-8"))
        if size > MAX_TEXT_BYTES:
            raise Refusal(
                "text_too_large",
                f"{name} is {size:,} bytes long and at most {MAX_TEXT_BYTES:,} are processed; "
                "cut it, or leave the line out",
            )
