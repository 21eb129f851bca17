"""The review server killed while it saves: what it acknowledged stands, once, and all else too."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import httpx
import pytest
from sqlalchemy import Engine, select

from consumers.review.intake import fill
from consumers.review.items import load_item, standing_labels
from consumers.review.people import PersonRole, add_person
from consumers.review.sides import choice_of
from consumers.review.tables import LABELS, open_database
from infra.ports import free_port
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import events, snapshot
from schemas.events import Label
from tests.review_desk import pair
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
KILLS = 6
ANCHORS = KILLS + 2


class Server(AbstractContextManager["Server"]):
    """`prefstream review` on one port, however often it is killed and started."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._environment = os.environ | settings.environment()
        self._log, self._port = log, free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "review", "--port", str(self._port)],
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        assert self.url in self._process.stdout.readline(), self._log.read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Annotator:
    """A signed-in person's browser."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url, follow_redirects=True, timeout=DEADLINE_S)
        home = self._client.post("/sign-in", data={"token": token}).text
        found = re.search(r'name="csrf" value="([^"]+)"', home)
        assert found is not None
        self._csrf = found[1]

    def next(self) -> int | None:
        """The item that the queue gives; None where it has none."""
        at = self._client.get("/next/LABEL").url.path
        return int(at.removeprefix("/items/")) if at.startswith("/items/") else None

    def page(self, item: int) -> str:
        return self._client.get(f"/items/{item}").text

    def send(self, item: int, action: str, **form: str) -> int:
        """The status of what the server answered; raises ``httpx.TransportError`` without one."""
        form["csrf"] = self._csrf
        answer = self._client.post(
            f"/items/{item}/{action}", data=form, headers={"Accept": "application/json"}
        )
        return answer.status_code


def _on_its_way(engine: Engine) -> bool:
    with engine.connect() as connection:
        return (
            connection.execute(select(LABELS.c.item).where(LABELS.c.state == "sending")).first()
            is not None
        )


def _logged(settings: Settings) -> int:
    return sum(span.last - span.first + 1 for span in snapshot(settings, "labels"))


def test_killed_while_saving(fresh_broker: Settings, tmp_path: Path) -> None:
    publish(fresh_broker, [pair(number) for number in range(ANCHORS)])
    engine = open_database(fresh_broker)
    with engine.begin() as connection:
        tokens = [add_person(connection, who, PersonRole.ANNOTATOR, 0) for who in ("ann", "bob")]
    interrupted = 0
    given: dict[int, str] = {}
    with Server(fresh_broker, tmp_path / "log") as server:
        ann, bob = (Annotator(server.url, token) for token in tokens)
        wait_until(bob.next, "the anchors are queued")
        drafted = bob.next()
        assert drafted is not None
        assert bob.send(drafted, "draft", choice="A", comment="half a thought") == 200

        for kill in range(KILLS):
            item = ann.next()
            assert item is not None
            given[item] = "AB"[kill % 2]
            form = {"choice": given[item], "comment": f"remark {kill}"}
            logged = _logged(fresh_broker)
            with ThreadPoolExecutor(1) as browser:
                saving = browser.submit(ann.send, item, "label", **form)
                # before Kafka has it, and after, in turn
                while not saving.done():
                    if _on_its_way(engine) if kill % 2 else _logged(fresh_broker) > logged:
                        break
                server.kill()
            interrupted += saving.exception() is not None
            server.start()
            # nothing that was filled in is lost, whether or not the label went out
            assert f"remark {kill}" in ann.page(item) or not _on_its_way(engine)
            assert ann.send(item, "label", **form) == 200

        assert bob.next() == drafted
        assert "half a thought" in bob.page(drafted)
    print(f"{interrupted} of {KILLS} kills fell into a save")
    assert interrupted

    # read from the topic alone, as a database that was lost would be
    again = open_database(fresh_broker.model_copy(update={"data_dir": tmp_path / "again"}))
    fill(fresh_broker, again, lambda: 0.0)
    written = {label.event_id for label in events(fresh_broker, Label)}
    assert len(written) == KILLS
    for item, choice in given.items():
        with engine.connect() as here, again.connect() as there:
            (label,) = standing_labels(here, item)
            comparison = load_item(here, item).comparison
            same = [one for n in range(1, ANCHORS + 1) for one in standing_labels(there, n)]
        assert label.event_id in written
        assert (label.annotator, label.comparison_id) == ("ann", comparison.event_id)
        assert label in same
        assert choice_of(label.winner, label.order) == choice
