"""What one query may use. Standard library only: the child imports it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one query and of the child that runs it."""

    wall_s: float = 3.0
    """The child is killed after it; 8 of 34 query bombs ignored every softer way to stop them."""
    address_space_bytes: int = 2 * 1024**3
    """256 MB crashes DuckDB itself, and its own memory limit let 3.9 GB through."""
    rows: int = 10_001
    """One more than the largest result that is compared, so that a larger one shows."""
    result_bytes: int = 16 * 1024**2
    sql_bytes: int = 8 * 1024
    """100,000 parentheses cost a parser 2 s and 882 MB; no answer needs 8 kB."""
    request_bytes: int = 1024**2
    """Of a task other than SQL."""
    open_files: int = 64


@dataclass(frozen=True, kw_only=True)
class CodeLimits:
    """Limits of one submission of code."""

    wall_s: float = 2.0
    """Of loading the code, and of each test."""
    submission_s: float = 60.0
    """Of all tests together, in wall and in CPU time."""
    address_space_bytes: int = 512 * 1024**2
    file_bytes: int = 1024**2
    folder_bytes: int = 16 * 1024**2
    folder_files: int = 256
    open_files: int = 64
    result_bytes: int = 1024**2
    """What one test may return."""
    request_bytes: int = 4 * 1024**2
    """The code and the inputs of its tests."""
    deaths: int = 3
    """A test that kills its process costs a new one; after so many the other tests fail unrun."""
