"""Every error a user or a runner can meet.

PrefstreamError                 says what was wrong, where, and what to do
├── ConfigError                 a bad file or setting, with its line
├── Poison                      this event can never be processed -> dead letter
│   ├── SchemaMismatch          the bytes are not an event of a known schema
│   └── TooLong                 a model is asked more than its context holds
├── Transient                   try this event again -> bounded retries, then a dead letter
│   └── DependencyDown          nothing can be processed now -> intake pauses, nothing is lost
└── Fatal                       the worker must stop -> exit non-zero with the sentence
"""


class PrefstreamError(Exception):
    """Base of all: its text is shown to a person as it stands, without a stack trace."""


class ConfigError(PrefstreamError):
    """A configuration file, setting or argument is wrong; the text names place and remedy."""


class Poison(PrefstreamError):
    """The event itself cannot be processed, now or ever; it goes to dead-letters with its bytes."""


class SchemaMismatch(Poison):
    """Bytes that are not Confluent-framed Avro of a schema in the registry."""


class TooLong(Poison):
    """What a model is asked is longer than its context."""


class Transient(PrefstreamError):
    """This event failed for a reason that may pass.

    ``retry_after_s`` is the least wait the other side asked for, None where it asked for none.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DependencyDown(Transient):
    """What the stage depends on is away or over budget, for every event alike.

    ``reason`` is the short word shown beside the paused intake (auth, billing, model_missing,
    wrong_model, rate_limit, budget, unreachable, failing).
    """

    def __init__(self, message: str, *, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.reason = reason


class Fatal(PrefstreamError):
    """Going on would do harm or cannot help; the worker exits non-zero with this sentence."""
