"""What is wrong with a line of a file, as a person reads it."""

from pydantic import ValidationError


def line_problem(error: ValidationError) -> str:
    """The first thing that the line is refused for: its place in the line, and why."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "the line"
    return f"{place}: {first['msg']}; correct the line"
