"""Answers greet the customer, and thank no more often than they should."""

from schemas.records import Check, CheckStatus
from streams.verify.plugin import CheckedCompletion


class Politeness:
    """FAIL without a greeting; each "thank" beyond ``max_thanks`` takes from the score."""

    name = "politeness"
    version = "1"  # raise it whenever a verdict would change: it is part of the config hash
    hard = False  # its FAIL is recorded; True would fail the answer

    def __init__(self, greetings: list[str] | None = None, max_thanks: int = 2) -> None:
        """The options of ``verify.plugins.politeness``."""
        self._greetings = tuple(word.casefold() for word in greetings or ["hello", "dear", "hi"])
        self._max_thanks = max_thanks

    def check(self, completion: CheckedCompletion) -> Check:
        """Only status, score and evidence of the result count."""
        text = completion.output.casefold()
        greets = text.startswith(self._greetings)
        too_many = max(0, text.count("thank") - self._max_thanks)
        return Check(
            name=self.name,
            version=self.version,
            hard=self.hard,
            status=CheckStatus.PASS if greets and not too_many else CheckStatus.FAIL,
            score=(1.0 if greets else 0.0) / (1 + too_many),
            evidence="" if greets else "no greeting at the beginning",
        )
