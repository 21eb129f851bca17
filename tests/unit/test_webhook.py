"""The webhook, against a real server: what it is told, how often, and that it never hurts."""

import logging

import pytest
from pydantic import SecretStr

from infra.ports import free_port
from infra.settings import Settings
from infra.webhook import post
from schemas.errors import ConfigError
from schemas.records import GateResult, RunStatus, Verdict
from tests.promotions import FAILED, PASSED, run
from tests.webhook_receiver import KEY, receiver
from trainer.promotion.announcement import Announcement, announcement


def message() -> Announcement:
    found = announcement(run("r", RunStatus.PROMOTED, gates=PASSED, detail="serves instead of a"))
    assert found is not None
    return found


def never(_: float) -> None:
    return


def test_a_promotion_is_posted_as_json() -> None:
    with receiver(200) as (url, got):
        assert post(url, message(), sleep=never)
    assert got[0]["kind"] == "promotion"
    assert got[0]["run_id"] == "r-run-id"
    assert "serves instead of a" in str(got[0]["text"])


def test_a_server_in_trouble_is_asked_again_with_longer_waits() -> None:
    waits: list[float] = []
    with receiver(500, 429, 503, 200) as (url, got):
        assert post(url, message(), sleep=waits.append)
    assert len(got) == 4
    assert waits == sorted(waits)


@pytest.mark.parametrize(("answer", "times"), [(500, 4), (404, 1), (401, 1)])
def test_a_refusal_is_logged_without_the_address(
    answer: int, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(answer) as (url, got), caplog.at_level(logging.DEBUG):
        assert not post(url, message(), sleep=never)
    assert len(got) == times
    assert "did not take a message" in caplog.text
    assert KEY not in caplog.text + str([vars(record) for record in caplog.records])


def test_nobody_there_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    url = SecretStr(f"http://127.0.0.1:{free_port()}/{KEY}")
    assert not post(url, message(), sleep=never)
    assert not post(SecretStr(f"http://no host/{KEY}"), message(), sleep=never)
    assert not post(None, message())
    assert KEY not in str([vars(record) for record in caplog.records])


def test_an_address_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="PREFSTREAM_WEBHOOK_URL cannot be used") as refused:
        Settings(webhook_url=SecretStr(f"file:///etc/{KEY}"))
    assert KEY not in str(refused.value)


HACKED = GateResult(name="reward_hacking", verdict=Verdict.FAIL, detail="rose while sql fell")


@pytest.mark.parametrize(
    ("status", "gates", "kind"),
    [
        (RunStatus.PROMOTED, PASSED, "promotion"),
        (RunStatus.REFUSED, FAILED, "refusal"),
        (RunStatus.WITHHELD, FAILED, "refusal"),
        (RunStatus.WITHHELD, (*FAILED, HACKED), "reward_hacking"),
        (RunStatus.ROLLED_BACK, (), "demotion"),
        (RunStatus.FAILED, (), "failure"),
        (RunStatus.TRAINED, PASSED, None),
        (RunStatus.WAITED, FAILED, None),
    ],
)
def test_what_is_told(status: RunStatus, gates: tuple[GateResult, ...], kind: str | None) -> None:
    found = announcement(run("r", status, gates=gates))
    assert (found.kind if found else None) == kind
    if found:
        assert all(gate.verdict is not Verdict.PASS for gate in found.gates)
