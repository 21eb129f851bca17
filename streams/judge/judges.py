"""Everyone who is asked about a comparison: one judge, or the members of a panel."""

import asyncio
import json
from collections.abc import Sequence

from schemas.events import Comparison
from schemas.ids import ConfigHash, config_hash
from schemas.records import Opinion, Record, Winner
from streams.judge.cascade import sureness
from streams.judge.combine import Ballot, ballot, combine
from streams.judge.marks import Mark
from streams.judge.member import Member
from streams.judge.panel import Panel
from streams.judge.verdict import Decision


class Heard(Record):
    """What they said: all opinions, the verdict they make, and what has to be known of it."""

    opinions: tuple[Opinion, ...]
    decision: Decision
    marks: tuple[Mark, ...]
    teachers: tuple[str, ...]


class Judges:
    """Asks every member at once; in a cascade the others only where the first is not sure."""

    def __init__(
        self, members: Sequence[Member], panel: Panel | None = None, *, trial: str | None = None
    ) -> None:
        """``members`` are those of ``panel``, in its order, or one judge without a panel.

        ``trial`` is the rubric ID/VERSION that they go by for once: comparisons that are meant for
        its other versions are theirs too.
        """
        self.members = tuple(members)
        self.panel = panel
        self._trial_of = trial.partition("/")[0] if trial else None
        weights = [one.weight for one in panel.members] if panel else [1.0] * len(members)
        self._weights = dict(zip(self.members, weights, strict=True))

    @property
    def refs(self) -> tuple[str, ...]:
        """What they go by: each rubric and constitution as ``ID/VERSION``."""
        return tuple(sorted({member.standard.ref for member in self.members}))

    @property
    def names(self) -> frozenset[str]:
        """What ``pair.rubric_id`` may say so that comparisons are meant for these judges."""
        standards = [member.standard for member in self.members]
        known = [*standards, *([self.panel] if self.panel else [])]
        return frozenset(name for one in known for name in (one.id, one.ref))

    def are_meant(self, rubric_id: str) -> bool:
        """Whether a comparison with this ``rubric_id`` is for these judges."""
        return rubric_id in self.names or rubric_id.partition("/")[0] == self._trial_of

    @property
    def config_hash(self) -> ConfigHash:
        """Hash of every member, its weight and how they are combined; not of the panel's name."""
        combined = ""
        if self.panel is not None:
            weights = [[member.name, member.weight] for member in self.panel.members]
            cascade = self.panel.cascade.model_dump() if self.panel.cascade else None
            combined = json.dumps([self.panel.method, weights, cascade])
        return config_hash(*(member.config_hash for member in self.members), combined)

    async def hear(self, event: Comparison) -> Heard:
        """Raises what a member's model raises, after all have answered or failed."""
        ballots = await self._ballots(event)
        opinions = tuple(opinion for each in ballots.values() for opinion in each.opinions)
        decision = combine(list(ballots.values()), self.panel.method if self.panel else "majority")
        known = {
            Mark.NO_MARGIN: decision.margin is None and decision.winner is not Winner.INVALID,
            Mark.RANKED: any(member.settings.mode == "listwise" for member in ballots),
            Mark.SAMPLED: any(member.settings.samples for member in ballots),
            Mark.TRUNCATED: any(opinion.left_out_characters for opinion in opinions),
            Mark.CASCADE: len(ballots) < len(self.members),
        }
        return Heard(
            opinions=opinions,
            decision=decision,
            marks=tuple(mark for mark, holds in known.items() if holds),
            teachers=tuple(dict.fromkeys(member.model for member in ballots)),
        )

    async def aclose(self) -> None:
        """Close the members' models."""
        for member in self.members:
            await member.aclose()

    async def _ballots(self, event: Comparison) -> dict[Member, Ballot]:
        if self.panel is None or (cascade := self.panel.cascade) is None:
            return await self._ask(event, self.members)
        first = [one for one in self.members if one.name == cascade.first]
        said = await self._ask(event, first)
        sure = [sureness(each.decision, each.opinions) for each in said.values()]
        if all(one is not None and one >= cascade.settled_margin for one in sure):
            return said
        others = [one for one in self.members if one not in first]
        return said | await self._ask(event, others)

    async def _ask(self, event: Comparison, members: Sequence[Member]) -> dict[Member, Ballot]:
        # All are waited for where one fails: the others' answers may be stored for the retry.
        asked = (member.opinions(event) for member in members)
        found = await asyncio.gather(*asked, return_exceptions=True)
        ballots: dict[Member, Ballot] = {}
        for member, opinions in zip(members, found, strict=True):
            if isinstance(opinions, BaseException):
                raise opinions
            ballots[member] = ballot(self._weights[member], opinions)
        return ballots
