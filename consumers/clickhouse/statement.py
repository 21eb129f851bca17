"""What the embedded engine's front lets through: statements that only read tables.

The engine itself runs them read-only. What that mode still allows (files of this machine read and
written, other queries killed) is refused here.
"""

import re

_LITERAL_OR_COMMENT = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'          # string
    | "(?:[^"\\]|\\.|"")*"          # quoted name
    | `(?:[^`\\]|\\.|``)*`          # quoted name
    | (?:--|\#!|\#\s)[^\n]*         # line comments
    | /\*.*?\*/                     # block comment
    """,
    re.VERBOSE | re.DOTALL,
)
_READS = frozenset({"select", "with", "show", "describe", "desc", "explain", "exists"})
_WRITES_FILES = re.compile(r"\boutfile\b", re.IGNORECASE)
_READS_FILES = re.compile(r"""(?:\bfile\b|["`]file["`])\s*\(""", re.IGNORECASE)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)


def refusal(sql: str) -> str | None:
    """Why the statement is not run, None where it is.

    Errs on the side of refusing: a heredoc's text counts as code.
    """
    # A quoted name stays: "file"('/etc/passwd') is a call as well.
    code = _LITERAL_OR_COMMENT.sub(lambda m: m[0] if m[0][0] in '"`' else " ", sql).strip(
        " \t\r\n(;"
    )
    word = re.match(r"\w*", code)
    first = word[0].lower() if word else ""
    if first not in _READS:
        return f"only {', '.join(sorted(_READS)).upper()} are answered here, not {first.upper()!r}"
    if _WRITES_FILES.search(code):
        return "INTO OUTFILE would write a file of the machine that owns the tables"
    if _READS_FILES.search(code):
        return "file() would read a file of the machine that owns the tables"
    return None


def output_format(sql: str, default: str) -> str:
    """The format that the statement asks for at its end, else the default."""
    found = _FORMAT.search(sql)
    return found[1] if found else default
