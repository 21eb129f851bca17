"""Why a person's request is not done; the text is shown to them as it stands.

Refused
├── UnknownItem       there is no such item
├── NotAllowed        their role, or their own label on it, keeps them from it
└── TooLate           it is closed, taken by others, or labelled by them already
"""

from schemas.errors import PrefstreamError


class Refused(PrefstreamError):
    """Nothing was changed; the text says why and what to do instead."""


class UnknownItem(Refused):
    """The item was never in these queues."""


class NotAllowed(Refused):
    """Somebody else may do this, not this person."""


class TooLate(Refused):
    """It could have been done before, and cannot any more."""
