"""When to train again: the ``trigger`` section of pipeline.yaml."""

from pydantic import Field

from schemas.records import Record


class TriggerSettings(Record):
    """Any reason is enough, unless something holds it back."""

    min_new_pairs: int = Field(default=1000, ge=1)
    """Accepted pairs since the last training: enough by themselves."""
    max_age_days: float = Field(default=7.0, gt=0)
    """Since the last training."""
    least_pairs: int = Field(default=50, ge=1)
    """Without so many new pairs no reason but a person's request is enough."""
    drift_window: int = Field(default=1000, ge=10)
    """Latest events of each kind that its rate is taken over."""
    # At 200 events a share of one half has a standard error of 0.035.
    drift_min_events: int = Field(default=200, ge=2)
    max_failure_rise: float = Field(default=0.05, gt=0, le=1)
    """Of the share of production answers that fail the verifiers."""
    max_conflict_rise: float = Field(default=0.05, gt=0, le=1)
    """Of the share of cross-checked comparisons in which judge and verifier disagree."""
    max_complaint_rise: float = Field(default=0.05, gt=0, le=1)
    """Of the share of thumbs that are down."""
    settle_minutes: float = Field(default=5.0, ge=0)
    """A reason must hold so long: an import that is under way is not trained on by halves."""
    min_interval_minutes: float = Field(default=60.0, ge=0)
    """Between two trainings."""
    retry_minutes: float = Field(default=720.0, ge=0)
    """After a training that was refused or failed: what refused it takes people time to mend."""
    keep_trainings: int = Field(default=5, ge=1)
    """Of so many trainings log, dataset and policy stay on the disk, whatever came of them."""
    say_again_hours: float = Field(default=24.0, gt=0)
    """An unchanged decision not to train is told again after so long."""
