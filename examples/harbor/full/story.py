"""The whole story, kept on disk step by step: a run that was cut short goes on where it stopped."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import benchmark
from examples.harbor.demo.display import Display
from examples.harbor.demo.result import AccountingFigures
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.training import Rules, Trainings
from examples.harbor.demo.workspace import Workspace
from examples.harbor.full.cells import Cell, Cells, claim, made_of, read_record, write_record
from examples.harbor.full.cost import Prices, bill
from examples.harbor.full.labelled import LabelledRound, both
from examples.harbor.full.labelling import StoryLabelling
from examples.harbor.full.make import Ingredients, Kitchen, config_of
from examples.harbor.full.policies import ALGORITHM_OF, BY_REWARD, FIRST_SEED, TITLES, Name
from examples.harbor.full.result import FullResult, MeasuredWins
from examples.harbor.full.spread import spread
from examples.harbor.full.targets import targets
from schemas.errors import ConfigError
from schemas.records import PreferenceSource
from streams.inference.identity import folder_fingerprint
from trainer.dataset import FrozenDataset, load, write


class FullStory:
    """Everything it makes is in ``workspace.root / "story"``; remove that to begin anew."""

    def __init__(
        self,
        backend: Backend,
        workspace: Workspace,
        rules: Rules,
        sizes: Sizes,
        seeds: Sequence[int],
        display: Display,
    ) -> None:
        self._backend, self._workspace, self._rules = backend, workspace, rules
        self._sizes, self._seeds, self._display = sizes, tuple(seeds), display
        self._folder = workspace.root / "story"
        self._cells = Cells(self._folder / "cells")
        self._labelling = StoryLabelling(backend, workspace, rules, sizes, display)
        self._prompts = benchmark(sizes.benchmark)
        self._kitchens = {seed: self._kitchen(seed) for seed in self._seeds}

    def tell(self, began_s: float) -> FullResult:
        """Label, train and measure whatever is missing. ``began_s`` is on the monotonic clock.

        Raises ``ConfigError`` where the folder was begun with other settings, or the gate refuses
        round 1, and ``PrefstreamError`` where a part of the stack ends or cannot be reached.
        """
        claim(self._folder / "labelled-by", self._labelled_by())
        first, pairs, thumbs = self._first()
        given = Ingredients(
            pairs={Name.RLAIF_1: pairs, Name.THUMBS: thumbs},
            calibrations={Name.RLAIF_1: first.calibrations},
        )
        second, more_pairs = self._second(first, given)
        given = Ingredients(
            pairs={**given.pairs, Name.RLAIF_2: more_pairs},
            calibrations={
                **given.calibrations,
                Name.RLAIF_2: (*first.calibrations, *second.calibrations),
            },
        )
        cells: defaultdict[Name, list[Cell]] = defaultdict(list)
        for seed, name in product(self._seeds, Name):
            cells[name].append(self._cell(name, seed, given))
        last = self._measure_last(cells[Name.RLAIF_2][0])
        with self._display.step("close the accounts"):
            self._backend.settle(self._display.lags)
            accounts = self._backend.accounts()
        spreads = {
            name: spread(
                [one.evaluation for one in found if one.evaluation is not None],
                [one.train_seconds for one in found],
            )
            for name, found in cells.items()
            if name in TITLES and all(one.evaluation is not None for one in found)
        }
        rounds = (first, second)
        cost = bill(both(first.bought, second.bought), Prices())
        return FullResult(
            seeds=self._seeds,
            policies=spreads,
            cells=tuple(one for found in cells.values() for one in found),
            rounds=rounds,
            last_wins=last.wins,
            prices=Prices(),
            bill=cost,
            targets=targets(spreads, rounds, cost),
            accounting=AccountingFigures(closed=accounts.closed, stages=accounts.stages),
            seconds=round(time.monotonic() - began_s, 1),
        )

    def _first(self) -> tuple[LabelledRound, FrozenDataset, FrozenDataset]:
        file, pairs, thumbs = (self._folder / name for name in ("1.json", "pairs-1", "thumbs"))
        round_ = _kept(file)
        if round_ is None:
            round_, *datasets = self._labelling.first()
            for dataset, folder in zip(datasets, (pairs, thumbs), strict=True):
                _write_anew(dataset, folder)
            write_record(file, round_)
        return round_, load(pairs), load(thumbs)

    def _second(
        self, first: LabelledRound, given: Ingredients
    ) -> tuple[LabelledRound, FrozenDataset]:
        file, folder = self._folder / "2.json", self._folder / "pairs-2"
        # before it is trained anew: the answers of the one that wrote round 2's pairs would be lost
        claim(self._folder / "round-2-by", self._made_of(Name.RLAIF_1, FIRST_SEED, given))
        writer = self._cell(Name.RLAIF_1, FIRST_SEED, given)
        round_ = _kept(file)
        if round_ is None:
            if writer.refusal:
                raise ConfigError(
                    f"the gate refused round 1, so there is no policy for round 2: {writer.refusal}"
                )
            policy = self._workspace.policies / f"{Name.RLAIF_1}-{FIRST_SEED}"
            pairs, _ = given.of(Name.RLAIF_1)
            people = [row for row in pairs.rows if row.source is PreferenceSource.HUMAN]
            with self._display.step("round 2: the new policy's answers, judged and labelled"):
                round_, dataset = self._labelling.next(first, people, policy)
            _write_anew(dataset, folder)
            write_record(file, round_)
        return round_, load(folder)

    def _measure_last(self, cell: Cell) -> MeasuredWins:
        """The wins of round 2's policy of the first seed, where the gates let there be one."""
        file = self._folder / "wins-2.json"
        found = read_record(file, MeasuredWins)
        if found is not None and found.made_of == cell.made_of:
            return found
        if cell.evaluation is None:
            return MeasuredWins(made_of=cell.made_of, wins=None)
        with self._display.step("round 2's policy against production's, by judge and people"):
            policy = self._workspace.policies / f"{Name.RLAIF_2}-{cell.seed}"
            found = MeasuredWins(made_of=cell.made_of, wins=self._labelling.measure(policy).wins)
        write_record(file, found)
        return found

    def _cell(self, name: Name, seed: int, given: Ingredients) -> Cell:
        wanted = self._made_of(name, seed, given)
        cell = self._cells.get(name, seed, wanted)
        if cell is None:
            with self._display.step(f"{TITLES.get(name, name)}, seed {seed}"):
                cell = self._kitchens[seed].make(name, given, wanted)
            self._cells.put(cell)
        return cell

    def _made_of(self, name: Name, seed: int, given: Ingredients) -> str:
        """What decides the cell: its algorithm's section, its pairs, the gates, the questions."""
        trained = [name] if name in ALGORITHM_OF else []
        if name in BY_REWARD:
            trained.append(Name.REWARD)
        return made_of(
            *(config_of(self._rules, one) for one in trained),
            given.of(name)[0].manifest.manifest_hash if trained else "",
            self._rules.gate,
            self._rules.blend,
            *(prompt.prompt_id for prompt in self._prompts),
            seeds=[seed],
        )

    def _labelled_by(self) -> str:
        """What decides all labels: sizes, the project's stages, and production's policy."""
        project = self._rules.pipeline
        return made_of(
            repr(self._sizes),
            *(project.sample, project.verify, project.pair, project.judge, project.filter),
            self._rules.calibration,
            folder_fingerprint(self._workspace.checkpoints / "policy"),
            seeds=[],
        )

    def _kitchen(self, seed: int) -> Kitchen:
        trainings = Trainings(
            self._backend,
            self._workspace,
            self._rules,
            self._prompts,
            self._display.training,
            self._labelling.ledger.look,
            seed,
        )
        return Kitchen(self._workspace, self._rules, self._backend.settings, trainings, seed)


def _kept(file: Path) -> LabelledRound | None:
    round_ = read_record(file, LabelledRound)
    if round_ is None and file.exists():
        raise ConfigError(
            f"{file} was written by another version of prefstream; name another --data-dir, or "
            f"remove {file.parent.parent} to begin anew"
        )
    return round_


def _write_anew(dataset: FrozenDataset, folder: Path) -> None:
    """Without what an interrupted run may have left there."""
    for file in _files(folder):
        file.unlink()
    write(dataset, folder)


def _files(folder: Path) -> Iterator[Path]:
    if folder.exists():
        yield from folder.iterdir()
