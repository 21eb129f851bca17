"""Regular expressions of the project on text that nobody trusts, in time linear in that text."""

import pyarrow as pa
import pyarrow.compute as pc


class LinearPattern:
    """An RE2 pattern, as Arrow brings that engine along."""

    def __init__(self, pattern: str) -> None:
        """Raises ValueError where it is none, naming what RE2 does not take."""
        self._pattern = pattern
        try:
            self.found_in("")
        except pa.ArrowInvalid as error:
            raise ValueError(
                f"no pattern of RE2 (which has neither lookaround nor back-references): {error}"
            ) from None

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere. A lone surrogate counts as a question mark."""
        scalar = pa.scalar(text.encode("utf-8", "replace").decode("utf-8"))
        return bool(pc.match_substring_regex(scalar, self._pattern).as_py())
