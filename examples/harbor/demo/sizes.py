"""How much of Harbor a demo run uses."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Counts of one run. ``users`` people ask each of ``prompts`` questions and thumb the answer.

    The sample stage takes a share of 1 / ``users`` of the completions, so that there is about one
    candidate set a prompt. A better policy answers alike, so fewer of its prompts give a pair: each
    round after the first has ``later_prompts`` (None: as many). ``fresh_anchors`` are those on
    which a new policy's answers are compared; few of the pairs are left to the judge. None of
    these others means all there are.
    """

    prompts: int
    users: int
    anchors: int | None
    core: int | None
    benchmark: int | None
    measuring_copies: int
    fresh_anchors: int | None = None
    later_prompts: int | None = None

    def of_round(self, number: int) -> slice:
        """Which of the questions that are trained on a round asks; the first is 1."""
        later = self.prompts if self.later_prompts is None else self.later_prompts
        first = self.prompts + (number - 2) * later
        return slice(first, first + later) if number > 1 else slice(self.prompts)


FULL = Sizes(
    prompts=300,
    later_prompts=1200,
    users=3,
    anchors=780,
    core=300,
    benchmark=430,
    measuring_copies=3,
)
# Enough anchors for a bound on kappa, enough questions for an interval of about ± 8 points.
QUICK = Sizes(prompts=90, users=3, anchors=120, core=50, benchmark=120, measuring_copies=1)
