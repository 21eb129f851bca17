"""Audits: what people check, and the error that training is told of."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.audit.error_rate import AuditorError, auditor_error, flip_rate, true_error
from consumers.audit.findings import Counts, Findings, findings, label_error, waiting
from consumers.audit.sample import AuditItem, AuditSettings, items, sampled, stratum
from consumers.calibration.content import comparison_sha256
from schemas.errors import ConfigError
from schemas.events import Judgment, Label, Preference
from schemas.records import HumanWinner, LabelRole, PreferenceSource, Winner
from tests.events import NOON, comparison, judgment, verified
from tests.preferences import calibration, label, preference

SETTINGS = AuditSettings(share=0.05)
MIN_MARGIN = 0.6
A, B, TIE = HumanWinner.A, HumanWinner.B, HumanWinner.TIE
UNERRING = AuditorError(rate=0.0, standard_error=0.0, pairs=1000)


def judged(n: int, winner: Winner = Winner.A, margin: float = 2.0) -> tuple[Judgment, Preference]:
    one = comparison(
        verified(f"{n}-a"), verified(f"{n}-b"), event_id=f"c{n}", prompt_id=f"prompt-{n}"
    )
    chosen, rejected = ("a", "b") if winner is Winner.A else ("b", "a")
    verdict = judgment(one, event_id=f"j{n}", prompt_id=one.prompt_id, winner=winner, margin=margin)
    row = preference(
        f"row-{n}",
        prompt_id=one.prompt_id,
        source_ids=(verdict.event_id,),
        chosen_id=f"{n}-{chosen}",
        rejected_id=f"{n}-{rejected}",
        margin=margin,
    )
    return verdict, row


def audited(item: AuditItem, winner: HumanWinner, **changes: Any) -> Label:
    one = item.comparison
    fields = {
        "event_id": f"audit of {one.event_id}",
        "comparison_id": one.event_id,
        "prompt_id": one.prompt_id,
        "content_sha256": comparison_sha256(one),
        "role": LabelRole.AUDIT,
    }
    return label("aud", winner, **(fields | changes))


def random_items(n: int, winner: Winner = Winner.A) -> list[AuditItem]:
    pairs = [judged(k, winner) for k in range(60 * n)]
    chosen = sampled((row for _, row in pairs), SETTINGS, MIN_MARGIN)
    found = list(items(chosen, (verdict for verdict, _ in pairs)))
    assert len(found) >= n
    return found[:n]


def test_a_stable_share_is_drawn_and_no_more() -> None:
    rows = [judged(n)[1] for n in range(4000)]
    drawn = [row for row in rows if stratum(row, SETTINGS, MIN_MARGIN) == "random"]
    assert len(drawn) / 4000 == pytest.approx(0.05, abs=0.012)
    wider = AuditSettings(share=0.05, near_margin=5)
    assert [row for row in rows if stratum(row, wider, MIN_MARGIN) == "random"] == drawn


def test_what_lies_just_above_the_threshold_is_drawn_too() -> None:
    near = [judged(n, margin=-0.63)[1] for n in range(50)]
    assert {stratum(row, SETTINGS, MIN_MARGIN) for row in near} == {"random", "threshold"}
    clear = judged(1, margin=0.7)[1]
    assert stratum(clear, SETTINGS, MIN_MARGIN) != "threshold"


def test_people_and_thumbs_are_not_audited() -> None:
    for source in (PreferenceSource.HUMAN, PreferenceSource.THUMBS):
        rows = [preference(f"row-{n}", source=source, margin=None) for n in range(200)]
        assert {stratum(row, SETTINGS, MIN_MARGIN) for row in rows} == {None}


@pytest.mark.parametrize("winner", [Winner.A, Winner.B])
def test_right_wrong_tie_and_open_are_counted(winner: Winner) -> None:
    asked = random_items(5, winner)
    right, wrong = (A, B) if winner is Winner.A else (B, A)
    labels = [audited(asked[0], right), audited(asked[1], wrong), audited(asked[2], TIE)]
    labels.append(audited(asked[3], wrong, content_sha256="of other texts"))
    found = findings(asked, labels)
    assert found.counts["random", PreferenceSource.RLAIF] == Counts(
        checked=2, wrong=1, ties=1, open=2
    )
    assert waiting(asked, labels) == [one.comparison for one in asked[3:]]
    assert found.error is not None
    assert (found.error.value, found.error.n) == (0.5, 2)


def test_a_label_on_the_exchanged_sides_is_turned_and_one_taken_back_is_none() -> None:
    (item,) = random_items(1)
    one = item.comparison
    exchanged = comparison_sha256(one.model_copy(update={"a": one.b, "b": one.a}))
    turned = audited(item, B, content_sha256=exchanged)
    assert findings([item], [turned]).error == true_error(1, 0, auditor_error(0, 0))
    back = audited(item, B, event_id="back", withdraws=turned.event_id)
    assert findings([item], [turned, back]).error is None
    assert waiting([item], [turned, back]) == [one]


def test_only_the_random_share_measures() -> None:
    pairs = [judged(n, margin=0.61) for n in range(300)]
    chosen = sampled((row for _, row in pairs), SETTINGS, MIN_MARGIN)
    asked = list(items(chosen, (verdict for verdict, _ in pairs)))
    near = [one for one in asked if one.stratum == "threshold"]
    labels = [audited(one, B if one.stratum == "threshold" else A) for one in asked]
    found = findings(asked, labels)
    assert found.counts["threshold", PreferenceSource.RLAIF].wrong == len(near) > 200
    assert found.error is not None
    assert found.error.value == 0


def test_people_who_err_alike_disagree_twice_as_often() -> None:
    # 2 · 0.05 · 0.95
    assert auditor_error(1000, 95).rate == pytest.approx(0.05)
    assert auditor_error(0, 0).rate is None
    few = auditor_error(29, 2)
    assert (few.rate, few.is_a_coin) == (None, False)
    assert "only 29 anchors" in few.unknown


def test_an_audit_by_coins_measures_nothing() -> None:
    (item,) = random_items(1)
    coins = [
        label(name, winner, event_id=f"{name} {n}", content_sha256=f"text {n}")
        for n in range(40)
        for name, winner in (("ann", A), ("bob", (A, B)[n % 2]))
    ]
    found = findings([item], [audited(item, B), *coins])
    assert found.error is None
    assert "as often as a coin" in found.auditors.unknown


def test_the_auditors_own_error_is_taken_out() -> None:
    auditors = auditor_error(1000, 95)
    # 0.1 · 0.95 + 0.9 · 0.05
    found = true_error(1000, 140, auditors)
    assert found.value == pytest.approx(0.1)
    assert true_error(100, 3, auditors).value == 0.0


def test_the_interval_covers_as_often_as_it_says() -> None:
    draw = np.random.default_rng(7)
    covered = 0
    for _ in range(1500):
        p, e = 0.1, 0.05
        pairs = int(draw.binomial(300, 2 * e * (1 - e)))
        wrong = int(draw.binomial(250, p * (1 - e) + (1 - p) * e))
        found = true_error(250, wrong, auditor_error(300, pairs))
        covered += found.low <= p <= found.high
    assert covered / 1500 == pytest.approx(0.95, abs=0.02)


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 400), st.integers(0, 400))
def test_the_error_stays_in_range(n: int, wrong: int, pairs: int, odd: int) -> None:
    if wrong > n or odd > pairs:
        return
    found = true_error(n, wrong, auditor_error(pairs, odd))
    assert 0 <= found.low <= found.value <= found.high <= 1


def nothing_audited() -> Findings:
    return Findings(counts={}, auditors=auditor_error(0, 0), error=None)


def test_before_an_audit_the_calibration_stands_in() -> None:
    stand_in = label_error(nothing_audited(), calibration(n=200, observed_agreement=0.91))
    assert stand_in is not None
    assert stand_in.rate.value == pytest.approx(0.09)
    assert "no audit yet: 200 calibration anchors" in stand_in.origin
    assert label_error(nothing_audited(), None) is None
    audit = Findings(counts={}, auditors=UNERRING, error=true_error(100, 4, UNERRING))
    known = label_error(audit, calibration())
    assert known is not None
    assert (known.rate.value, known.origin) == (0.04, "100 audited preferences")


def test_a_small_audit_speaks_only_where_there_is_no_calibration() -> None:
    audit = Findings(counts={}, auditors=UNERRING, error=true_error(29, 29, UNERRING))
    instead = label_error(audit, calibration(n=200, observed_agreement=0.91))
    assert instead is not None
    assert instead.rate.value == pytest.approx(0.09)
    assert "only 29 preferences audited, of 30 that are needed: 200" in instead.origin
    alone = label_error(audit, calibration(observed_agreement=None))
    assert alone is not None
    assert alone.rate.value == 1.0
    enough = replace(audit, error=true_error(30, 3, UNERRING))
    known = label_error(enough, calibration())
    assert known is not None
    assert known.rate.value == 0.1


def test_only_rlaif_rows_can_be_flipped_and_half_of_them_is_refused() -> None:
    assert flip_rate(0.1, 0.7) == pytest.approx(0.07)
    with pytest.raises(ConfigError, match="50%"):
        flip_rate(0.5, 1.0)


def test_double_labels_of_one_anchor_give_the_auditors_error() -> None:
    def said(annotator: str, n: int, winner: HumanWinner) -> Label:
        return label(
            annotator,
            winner,
            event_id=f"{annotator} {n}",
            content_sha256=f"text {n}",
            occurred_at=NOON + timedelta(minutes=n),
        )

    labels = [each for n in range(40) for each in (said("ann", n, A), said("bob", n, A))]
    labels += [said("ann", 40, A), said("bob", 40, B), said("ann", 41, A), said("bob", 41, TIE)]
    assert findings([], labels).auditors == auditor_error(41, 1)
