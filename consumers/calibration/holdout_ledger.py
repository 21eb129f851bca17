"""What was looked at when: the one read of the holdout, and every look of the gate.

The locked split says something about a judge only as long as nobody tuned the judge on it, so each
judge configuration is measured on it once; what came out then stands, whatever is labelled later.
Looks at the calibration split may be as many as anyone likes, but each is paid for (see
``schemas.alpha_spending``), so they are counted here. The rows are chained by hash.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from consumers.calibration.hash_chain import Body, HashChain
from consumers.calibration.splits import Split
from infra.settings import Settings
from schemas.alpha_spending import spent_alpha
from schemas.errors import ConfigError
from schemas.events import Calibration
from schemas.records import Record

ALL_SLICES = ""
Clock = Callable[[], datetime]


class HoldoutAlreadyRead(ConfigError):
    """The holdout was measured for this judge configuration before; the text says what it gave."""


class Look(Record):
    """Look number ``look`` of a judge configuration at the calibration split.

    ``calibration_id`` is the event that was looked at: the same data again is the same look.
    ``judge`` counts judge configurations in the order in which they were first looked at.
    ``alpha`` is what ``look`` may spend of the gate's one-sided 5 %.
    """

    kind: Literal["look"] = "look"
    at: AwareDatetime
    judge_config_hash: str
    calibration_id: str
    look: int = Field(ge=1)
    judge: int = Field(ge=1)
    alpha: float = Field(gt=0, lt=1)
    n: int = Field(ge=0)
    kappa: float | None


class HoldoutRead(Record):
    """The holdout's one reading for a judge configuration, with the events that it gave."""

    kind: Literal["holdout_read"] = "holdout_read"
    at: AwareDatetime
    judge_config_hash: str
    n: int = Field(ge=0)
    kappa: float | None
    calibrations: tuple[Calibration, ...] = Field(min_length=1)

    @property
    def workload_id(self) -> str:
        """Whose anchors these were."""
        return self.calibrations[0].workload_id

    def said(self) -> str:
        """When it was read and what it gave."""
        kappa = "undefined" if self.kappa is None else f"{self.kappa:.4f}"
        return f"on {self.at:%Y-%m-%d at %H:%M:%S} UTC: kappa {kappa} on {self.n} anchors"


class AnchorsDrawn(Record):
    """A draw of anchors from traffic: ``config_hash`` stands on each of them."""

    kind: Literal["anchors_drawn"] = "anchors_drawn"
    at: AwareDatetime
    config_hash: str
    seed: int = Field(ge=0)
    n: int = Field(ge=1)


Row = Look | HoldoutRead | AnchorsDrawn
Entry = Annotated[Row, Field(discriminator="kind")]
_ENTRY: TypeAdapter[Row] = TypeAdapter(Entry)


def ledger_path(settings: Settings) -> Path:
    """Where the ledger of these settings is: pipelines of one data folder have one each."""
    name = f"{settings.topic_prefix}anchors.jsonl"
    return settings.ledger_path or settings.data_dir / "ledger" / name


class HoldoutLedger:
    """The ledger in a file. Every use proves the whole file and raises ``ChainBroken`` if it is
    not what was written; it has one row a look, so that is thousands of rows at the most.

    Each workload has a holdout of its own, and with ``workload_id`` no other's reading is seen.
    Looks count over all of them, for they are at the same judge.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock = lambda: datetime.now(UTC),
        *,
        workload_id: str | None = None,
    ) -> None:
        self._chain = HashChain(path)
        self._clock = clock
        self._workload_id = workload_id

    def entries(self) -> tuple[Row, ...]:
        """Every entry, oldest first."""
        return _entries(self._chain.rows())

    def holdout(self, judge_config_hash: str) -> HoldoutRead | None:
        """The reading of this judge configuration, None where there was none yet."""
        return self._read(self.entries(), judge_config_hash)

    def readings(self) -> list[Calibration]:
        """The events of every reading, published or not: a veto holds once it is on the disk."""
        return [one for read in self._reads(self.entries()) for one in read.calibrations]

    def read_holdout(
        self, judge_config_hash: str, measure: Callable[[], Sequence[Calibration]]
    ) -> HoldoutRead:
        """Measure the holdout for this judge configuration and keep what came out.

        ``measure`` is called only if it was never read, under the ledger's lock, and gives the
        event over all slices and those of each. When this returns, the reading is on the disk, so
        it can be published again after any crash. Raises ``HoldoutAlreadyRead``.
        """

        def row(rows: tuple[Body, ...]) -> tuple[Body, HoldoutRead]:
            if (earlier := self._read(_entries(rows), judge_config_hash)) is not None:
                raise HoldoutAlreadyRead(
                    f"the holdout was read for judge configuration {judge_config_hash} "
                    f"{earlier.said()}. It is read once: that number stands. A changed judge has "
                    "another configuration and may read it"
                )
            found = _holdout_read(judge_config_hash, measure(), self._clock())
            return found.model_dump(mode="json"), found

        return self._chain.append(row)

    def look(self, calibration: Calibration) -> Look:
        """The look at this calibration: a new one if its data were never looked at.

        Raises ``ValueError`` for anything but a calibration split over all slices.
        """
        if not _is_look(calibration):
            raise ValueError("a look is at the calibration split over all slices")

        def row(rows: tuple[Body, ...]) -> tuple[Body | None, Look]:
            looks = [entry for entry in _entries(rows) if isinstance(entry, Look)]
            hash_ = calibration.judge_config_hash
            own = [one for one in looks if one.judge_config_hash == hash_]
            for one in own:
                if one.calibration_id == calibration.event_id:
                    return None, one
            number = len(own) + 1
            judges = len({one.judge_config_hash for one in looks})
            made = Look(
                at=self._clock(),
                judge_config_hash=hash_,
                calibration_id=calibration.event_id,
                look=number,
                judge=own[0].judge if own else judges + 1,
                alpha=spent_alpha(number),
                n=calibration.n,
                kappa=calibration.kappa,
            )
            return made.model_dump(mode="json"), made

        return self._chain.append(row)

    def drawn(self, config_hash: str, seed: int, n: int) -> None:
        """Record a draw; the same one again is no second row."""

        def row(rows: tuple[Body, ...]) -> tuple[Body | None, None]:
            made = AnchorsDrawn(at=self._clock(), config_hash=config_hash, seed=seed, n=n)
            known = any(
                isinstance(one, AnchorsDrawn) and (one.config_hash, one.n) == (config_hash, n)
                for one in _entries(rows)
            )
            return None if known else made.model_dump(mode="json"), None

        self._chain.append(row)

    def adopt(self, published: Iterable[Calibration]) -> None:
        """Take over what the log knows and the ledger does not: its looks and readings.

        A ledger that was lost, or is another machine's, then forgets nothing that was published:
        the holdout stays read, and no look becomes free again.
        """
        entries = self.entries()
        looked = {one.calibration_id for one in entries if isinstance(one, Look)}
        known = {one.judge_config_hash for one in self._reads(entries)}
        read: dict[str, list[Calibration]] = {}
        for one in sorted(published, key=lambda one: (one.occurred_at, one.event_id)):
            if one.split == Split.HOLDOUT and one.judge_config_hash not in known:
                read.setdefault(one.judge_config_hash, []).append(one)
            elif _is_look(one) and one.event_id not in looked:
                self.look(one)
        for hash_, found in read.items():
            if any(one.slice == ALL_SLICES for one in found):
                self.read_holdout(hash_, partial(_first_of_each_slice, found))

    def _reads(self, entries: Iterable[Row]) -> Iterator[HoldoutRead]:
        """Those of the workload."""
        for entry in entries:
            if isinstance(entry, HoldoutRead) and self._workload_id in (None, entry.workload_id):
                yield entry

    def _read(self, entries: Iterable[Row], hash_: str) -> HoldoutRead | None:
        reads = (one for one in self._reads(entries) if one.judge_config_hash == hash_)
        return next(reads, None)


def _is_look(calibration: Calibration) -> bool:
    return (calibration.split, calibration.slice) == (Split.CALIBRATION, ALL_SLICES)


def _first_of_each_slice(found: Sequence[Calibration]) -> list[Calibration]:
    first: dict[str, Calibration] = {}
    for one in found:
        first.setdefault(one.slice, one)
    return list(first.values())


def _holdout_read(
    judge_config_hash: str, measured: Sequence[Calibration], at: datetime
) -> HoldoutRead:
    whole = next(one for one in measured if one.slice == ALL_SLICES)
    return HoldoutRead(
        at=at,
        judge_config_hash=judge_config_hash,
        n=whole.n,
        kappa=whole.kappa,
        calibrations=tuple(measured),
    )


def _entries(rows: Iterable[Body]) -> tuple[Row, ...]:
    return tuple(_ENTRY.validate_python(row, strict=False) for row in rows)
