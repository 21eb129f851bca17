"""What a reader of a verdict has to know of it, as words on judgment and preference."""

from enum import StrEnum


class Mark(StrEnum):
    """A judgment's ``marks`` hold their values; the preference made of it has the same."""

    SAME_MODEL = "same_model"
    """The judge is a model that wrote one of the answers (``judge.allow_same_model``)."""
    NO_MARGIN = "no_margin"
    """A judge had no probabilities: no margin, so the margin rules were skipped."""
    SAMPLED = "sampled"
    """Votes were drawn, not read from probabilities."""
    RANKED = "ranked"
    """A judge ranked the whole set under every rotation; each ranking is a vote on the pair."""
    TRUNCATED = "truncated"
    """A text was too long and the judge saw it with its middle cut out."""
    PRE_CHECK = "pre_check"
    """An answer lost by rule; nobody was asked."""
    CASCADE = "cascade"
    """The panel's first member was sure enough; the others were not asked."""
