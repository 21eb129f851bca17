"""The gate: nothing trains on a judge whose agreement with people was not measured. Pure.

It fails closed. FAIL says the judge is known to be too bad (or the rows may not be trained on
at all), INCONCLUSIVE that nobody knows yet; either way there is no training.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.events import Calibration, Preference
from schemas.records import GateResult, PreferenceSource, Verdict
from trainer.bias_rules import attack_gate
from trainer.demotion import promoted_before
from trainer.gate_rules import age, holdout_veto, measured_gates, worst
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks, counted_looks
from trainer.reported import Reported, reported
from trainer.slice_rule import slice_gates
from trainer.watched import NOTHING, Watched, policy_gate

CALIBRATION_SPLIT = "calibration"
HOLDOUT_SPLIT = "holdout"
ALL_SLICES = ""


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """The verdict over all gates, and each of them with its numbers.

    ``demoted`` are judge configurations that stood promoted and no longer do. ``reported`` did not
    decide. ``calibrated_slices`` are those in which the judge's labels may be
    trained on; None means all. ``people_slices`` have too few anchors, so their pairs go to people.
    """

    verdict: Verdict
    results: tuple[GateResult, ...]
    reported: tuple[Reported, ...] = ()
    calibrated_slices: frozenset[str] | None = None
    people_slices: tuple[str, ...] = ()
    demoted: tuple[str, ...] = ()


@dataclass(kw_only=True)
class _Findings:
    """What the rules have found so far."""

    results: list[GateResult] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    calibrated_slices: frozenset[str] | None = None
    people_slices: tuple[str, ...] = ()
    promoted: set[str] = field(default_factory=set)


def gate(
    judge_config_hashes: Mapping[PreferenceSource, Iterable[str]],
    calibrations: Iterable[Calibration],
    settings: GateSettings,
    now: datetime,
    *,
    looks: Looks | None = None,
    attack_success: float | None = None,
    watched: Watched = NOTHING,
) -> GateDecision:
    """Whether rows of these sources, labelled by these judge configurations, may be trained on.

    ``looks`` are the ledger's; without it they are counted among ``calibrations``.
    ``attack_success`` is an upper 95 % bound, None where no attack was tried. ``watched`` is what
    probes and promotions say since the calibration.

    Verifier and human rows need no calibration; RLAIF rows need a fresh one that passes for their
    one judge configuration. Thumbs are a baseline whose agreement nobody measures: they FAIL.
    """
    found = _Findings()
    results = found.results
    if PreferenceSource.THUMBS in judge_config_hashes:
        results.append(
            GateResult(
                name="sources",
                verdict=Verdict.FAIL,
                detail="thumbs rows are not calibrated; train them as a baseline with --ungated",
            )
        )
    hashes = sorted(set(judge_config_hashes.get(PreferenceSource.RLAIF, ())))
    known = list(calibrations)
    if len(hashes) > 1:
        results.append(
            GateResult(
                name="judge_config",
                verdict=Verdict.FAIL,
                value=len(hashes),
                threshold=1,
                detail=f"rows of several judge configurations: {', '.join(hashes)}; freeze one",
            )
        )
    for hash_ in hashes:
        _judge_gates(found, hash_, known, settings, now, looks)
        _watched_gates(found, hash_, known, settings, watched)
    if hashes and attack_success is not None:
        results.append(attack_gate(attack_success, settings))
    elif hashes:
        found.reported.append(Reported(name="attack_success", detail="not measured"))
    if not results:
        results.append(
            GateResult(
                name="sources",
                verdict=Verdict.PASS,
                detail="no rlaif rows, so no judge to calibrate",
            )
        )
    return GateDecision(
        verdict=worst(results),
        results=tuple(results),
        reported=tuple(found.reported),
        calibrated_slices=found.calibrated_slices,
        people_slices=found.people_slices,
        demoted=tuple(sorted(found.promoted)) if worst(results) is Verdict.FAIL else (),
    )


def label_sources(rows: Iterable[Preference]) -> dict[PreferenceSource, frozenset[str]]:
    """The judge configurations behind the rows of each source, as ``gate`` takes them."""
    found: dict[PreferenceSource, set[str]] = {}
    for row in rows:
        found.setdefault(row.source, set()).add(row.judge_config_hash)
    return {source: frozenset(hashes) for source, hashes in sorted(found.items())}


def _judge_gates(
    found: _Findings,
    hash_: str,
    known: Sequence[Calibration],
    settings: GateSettings,
    now: datetime,
    looks: Looks | None,
) -> None:
    """Add what the calibrations say of one judge configuration."""
    over_all = [one for one in known if _is_whole(one)]
    history = sorted((one for one in over_all if one.judge_config_hash == hash_), key=_age)
    if not history:
        found.results.append(
            GateResult(
                name="calibration",
                verdict=Verdict.INCONCLUSIVE,
                detail=f"judge configuration {hash_} was never calibrated; "
                "label anchors and run `prefstream calibrate`",
            )
        )
        return
    looks = looks or counted_looks(over_all)
    # in the order of time, so that a ledger that lacks them counts them in that order
    looked = [looks(one) for one in history][-1]
    latest = history[-1]
    promoted = promoted_before(history[:-1], settings, looks)
    if promoted:
        found.promoted.add(hash_)
    by_slice = _slices(known, hash_)
    slices = slice_gates(latest, by_slice, settings)
    found.results += [
        age(latest, settings, now),
        *measured_gates(latest, settings, looked, promoted=promoted),
        *slices.results,
    ]
    holdout = _holdout(known, hash_)
    if holdout is not None and holdout.kappa is not None:
        found.results.append(holdout_veto(holdout, settings))
    found.reported += reported(latest, looked, slices, holdout)
    # `prefstream calibrate` measures every slice; numbers from elsewhere may know of none
    if not by_slice:
        found.reported.append(Reported(name="slices", detail="not measured: the whole decides"))
    elif settings.uncalibrated_slices == "leave_out":
        found.calibrated_slices = slices.calibrated
    found.people_slices = tuple(name for name, _ in slices.uncalibrated)


def _watched_gates(
    found: _Findings,
    hash_: str,
    known: Sequence[Calibration],
    settings: GateSettings,
    watched: Watched,
) -> None:
    """Add what was seen since the calibration: drift, fingerprint, the policy in production."""
    seen = watched.by_judge.get(hash_, ())
    found.results += seen
    if any(one.verdict is Verdict.FAIL for one in seen):
        # it was calibrated, and is another one now
        found.promoted.add(hash_)
    if not any(one.name == "drift" for one in seen):
        found.reported.append(
            Reported(name="drift", detail="not watched: send `prefstream anchors probe`")
        )
    whole = [one for one in known if _is_whole(one) and one.judge_config_hash == hash_]
    if watched.promoted is not None and whole:
        found.results.append(policy_gate(max(whole, key=_age), watched.promoted, settings))


def _is_whole(one: Calibration) -> bool:
    return (one.split, one.slice) == (CALIBRATION_SPLIT, ALL_SLICES)


def _age(calibration: Calibration) -> tuple[datetime, int, str]:
    return calibration.occurred_at, calibration.n, calibration.event_id


def _slices(known: Sequence[Calibration], hash_: str) -> list[Calibration]:
    """The latest calibration of each slice."""
    latest: dict[str, Calibration] = {}
    for one in sorted(known, key=_age):
        if one.slice and (one.judge_config_hash, one.split) == (hash_, CALIBRATION_SPLIT):
            latest[one.slice] = one
    return list(latest.values())


def _holdout(known: Sequence[Calibration], hash_: str) -> Calibration | None:
    """The first reading: the holdout is read once, so whatever came later is not its number."""
    wanted = (hash_, HOLDOUT_SPLIT, ALL_SLICES)
    found = [one for one in known if (one.judge_config_hash, one.split, one.slice) == wanted]
    return min(found, key=_age, default=None)
