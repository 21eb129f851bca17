"""How long the review pages take with 10,000 queued items.

    python -m bench.review_page [--items 10000] [--requests 100] [--json]

Each page is asked for over HTTP on loopback, one request after the other, by somebody who labelled
1,000 items and skipped 500: what they did is what the search for their next item passes over. The
reference in the same run is a file that the same server gives out without any query. CPU is that of
server and client together, a request: what is left of the time on a machine that does much else.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import httpx
import uvicorn
from sqlalchemy import Engine

from consumers.review.desk import Desk
from consumers.review.intake import queue
from consumers.review.people import Person, PersonRole, add_person
from consumers.review.rubrics import project_rubrics
from consumers.review.sides import Choice
from consumers.review.tables import open_database
from consumers.review.verdict import Verdict
from consumers.review.web.app import review_app
from consumers.review.web.review import Review
from consumers.review.web.server import listen
from infra.settings import Settings
from schemas.events import Calibration, Comparison
from schemas.records import LabelRole

_PROJECT = Path(__file__).parents[1] / "examples" / "harbor" / "project"
_LABELLED, _SKIPPED = 1_000, 500
_PAGES = {
    "a file (reference)": "/static/icon.svg",
    "queues": "/",
    "next item": "/next/LABEL",
    "list of items": "/items",
    "last page of the list": "/items?page=190",
}
_ANSWER = "The revenue by region, settled orders only.\n```sql\n{}\n```\nFilters: region, quarter."
_SQL = "SELECT r.name, SUM(v.net) AS revenue FROM v_revenue_orders v JOIN v_revenue_regions r\n" * 8


class _NoTables:
    def calibrations(self) -> list[Calibration]:
        return []

    def pair(self, _: str, /) -> None:
        return None


def _comparison(n: int) -> Comparison:
    def side(name: str) -> dict[str, object]:
        output = _ANSWER.format(f"{_SQL}-- {name} {n}")
        candidate = {"completion_id": f"{name} {n}", "output": output, "model": "policy"}
        return {"candidate": candidate, "outcome": "PASSED"}

    return Comparison.model_validate(
        {
            "event_id": f"comparison-{n}",
            "occurred_at": "2026-01-01T00:00:00Z",
            "workload_id": "bench",
            "config_hash": "",
            "prompt_id": f"prompt-{n}",
            "messages": [{"role": "user", "content": f"What was the revenue of region {n}?"}],
            "purpose": "ANCHOR",
            "a": side("a"),
            "b": side("b"),
            "verifier_winner": "NONE",
            "rubric_id": "harbor/1",
        },
        strict=False,
    )


def _worked(engine: Engine, items: int) -> str:
    """Queues with ``items`` items and somebody who did some of them; returns their token."""
    lee = Person(name="lee", role=PersonRole.LEAD)
    with engine.begin() as connection:
        token = add_person(connection, lee.name, lee.role, 0.0)
    queue(engine, map(_comparison, range(items)), LabelRole.LABEL, 0.0, annotators=2)
    desk = Desk(engine=engine, send=lambda _: None, now_s=time.time)
    for item in range(1, min(_LABELLED, items // 2) + 1):
        desk.save(lee, item, Verdict(choice=Choice.A))
    for item in range(_LABELLED + 1, min(_LABELLED + _SKIPPED, items) + 1):
        desk.skip(lee, item, "too hard")
    return token


@contextmanager
def _served(engine: Engine) -> Iterator[str]:
    review = Review(
        desk=Desk(engine=engine, send=lambda _: None, now_s=time.time),
        rubric=project_rubrics(_PROJECT),
        evidence=_NoTables(),
        prompts=lambda _: (),
        notice=lambda: None,
        kappa_wanted=0.72,
    )
    with listen("127.0.0.1", 0) as door:
        server = uvicorn.Server(uvicorn.Config(review_app(review), log_level="warning"))
        thread = Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _timed(request: Callable[[], httpx.Response], requests: int) -> dict[str, float]:
    """Redirects are followed and count: they are part of what a person waits for."""
    times: list[float] = []
    cpu = time.process_time()
    for _ in range(requests):
        start = time.perf_counter()
        request().raise_for_status()
        times.append((time.perf_counter() - start) * 1000)
    return {
        "p50_ms": statistics.median(times),
        "p95_ms": statistics.quantiles(times, n=20)[-1],
        "cpu_ms": (time.process_time() - cpu) * 1000 / requests,
    }


def _saving(client: httpx.Client) -> Callable[[], httpx.Response]:
    """Saving a label, Kafka's answer apart, up to the next item's page."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert found is not None
    form = {"choice": "B", "csrf": found[1]}
    at = client.get("/next/LABEL").url.path

    def save() -> httpx.Response:
        nonlocal at
        answer = client.post(f"{at}/label", data=form)
        at = answer.url.path
        return answer

    return save


def measure(items: int, requests: int) -> dict[str, dict[str, float]]:
    """p50, p95 and CPU in milliseconds of every page."""
    with TemporaryDirectory() as folder:
        engine = open_database(Settings(data_dir=Path(folder)))
        token = _worked(engine, items)
        with _served(engine) as url, httpx.Client(base_url=url, follow_redirects=True) as client:
            client.post("/sign-in", data={"token": token})
            found = {
                name: _timed(partial(client.get, path), requests) for name, path in _PAGES.items()
            }
            found["save and next"] = _timed(_saving(client), requests)
        engine.dispose()
    return found


def main() -> None:
    """Print a line a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.items, given.requests)
    if given.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        figures = "   ".join(f"{key[:-3]} {ms:6.1f} ms" for key, ms in one.items())
        print(f"{name:<24} {figures}")


if __name__ == "__main__":
    main()
