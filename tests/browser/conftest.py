"""Chromium, the pages served to it, and axe-core.

chromium  one browser for these tests; skipped with a reason where none is installed
served    an office whose pages answer on loopback; the test holds its clock and its log
axe       the source of axe-core, fetched by npm as tests/browser/package-lock.json pins it
"""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from consumers.review.evidence import PairHistory
from consumers.review.people import Person
from consumers.review.rubrics import project_rubrics
from consumers.review.web.server import listen
from schemas.records import ConfusionCell, ReliabilityBin
from tests.events import judgment
from tests.preferences import calibration
from tests.review_desk import NoTables, Office, office, pair

HERE = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Ends what would hang; Playwright itself expects what is asked for within 5 s.
_PATIENCE_MS = 60_000


@dataclass(frozen=True)
class Served:
    """An office and where its pages are."""

    place: Office
    url: str

    def sign_in(self, context: BrowserContext, person: Person) -> Page:
        """A page of this person, on their queues."""
        page = context.new_page()
        page.goto(f"{self.url}/sign-in")
        # The browser moves the focus there some time after the page is loaded.
        expect(page.get_by_label("Your personal token")).to_be_focused()
        page.keyboard.type(self.place.token(person))
        page.keyboard.press("Enter")
        page.wait_for_url(f"{self.url}/")
        return page


# Of this package only: while Playwright runs, its loop is the thread's running one, and no asyncio
# test can have another.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed; its package is chromium")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
    # Playwright's loop stays set as the thread's own, and later asyncio tests would find it closed.
    asyncio.set_event_loop(None)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser of one person: cookies and drafts of its own."""
    made = chromium.new_context()
    made.set_default_timeout(_PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    place = office(tmp_path)
    bins = (ReliabilityBin(low=0.9, high=1, n=50, confidence=0.95, accuracy=0.9),)
    cells = (ConfusionCell(human="A", judge="A", n=90), ConfusionCell(human="A", judge="B", n=9))
    measured = calibration(reliability=bins, confusion=cells, ece=0.05)
    slices = calibration(event_id="slice", slice="north")
    history = PairHistory(
        comparison=pair(),
        completions=(),
        verifications=(),
        judgments=(judgment(pair()),),
        preferences=(),
        discards=(),
        labels=(),
    )
    pages = place.pages(
        rubric=project_rubrics(Path("examples/harbor/project")),
        evidence=NoTables([measured, slices], history),
        notice=lambda: place.notice,
    )
    with listen("127.0.0.1", 0) as door:
        server = uvicorn.Server(uvicorn.Config(pages, log_level="warning"))
        thread = Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        yield Served(place, f"http://127.0.0.1:{door.getsockname()[1]}")
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def axe() -> str:
    source = HERE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        if shutil.which("npm") is None:
            pytest.skip("axe-core is fetched by npm, which is not installed; its package is npm")
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True
        )
    return source.read_text()
