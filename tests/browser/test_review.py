"""The review pages in a real browser, used as people use them."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, Route, expect

from consumers.calibration.adjudicate import adjudicate
from consumers.review.desk import UNDO_S
from consumers.review.reservations import HOLD_S
from schemas.records import HumanWinner, LabelRole, Message
from tests.browser.conftest import Served
from tests.events import comparison, verified
from tests.review_desk import ANN, BOB, CAROL, EVE, LEE, pair

A, B, TIE = HumanWinner.A, HumanWinner.B, HumanWinner.TIE
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>'


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def on_item(page: Page, number: int) -> None:
    expect(page.locator("h1 .number")).to_have_text(f"item {number}")
    # The heading is there before the script that reads keys.
    page.wait_for_load_state()


def chosen(page: Page) -> Locator:
    return page.locator("input[name=choice]:checked")


def test_a_labelling_run_by_keyboard_alone(served: Served, context: BrowserContext) -> None:
    served.place.put(*(pair(n) for n in range(1, 6)))
    page = served.sign_in(context, ANN)
    # From the queues to the first item by Tab and Enter.
    page.get_by_role("link", name="Start").focus()
    press(page, "Enter")
    on_item(page, 1)
    press(page, "1", "Control+Enter")
    on_item(page, 2)
    # Arrows go from verdict to verdict, and round.
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    expect(chosen(page)).to_have_value("TIE")
    press(page, "ArrowLeft", "ArrowRight", "Control+Enter")
    on_item(page, 3)
    # In a field keys are text; Ctrl+Enter saves from there.
    press(page, "4", "c")
    page.keyboard.type("1 2 d s u ? are words here")
    expect(chosen(page)).to_have_value("BOTH_BAD")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, "Control+Enter")
    on_item(page, 4)
    # Help, differences, undo.
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, "d")
    expect(page.locator(".panes.differences")).to_be_visible()
    press(page, "u")
    on_item(page, 3)
    expect(page.get_by_role("textbox")).to_have_value("1 2 d s u ? are words here")
    press(page, "2", "Control+Enter")
    on_item(page, 4)
    press(page, "s")
    page.keyboard.type("needs an expert")
    press(page, "Enter")
    on_item(page, 5)
    press(page, "3", "Control+Enter")
    expect(page.get_by_text("Nothing is left for you to label")).to_be_visible()
    standing = {label.comparison_id for label in served.place.log if not label.withdraws}
    assert standing == {f"comparison-{n}" for n in (1, 2, 3, 5)}
    assert [bool(label.withdraws) for label in served.place.log].count(True) == 1


def test_two_annotators_disagree_and_an_adjudicator_closes_it(
    served: Served, chromium: Browser
) -> None:
    served.place.put(pair())
    for person, winner in ((ANN, A), (BOB, B)):
        with chromium.new_context() as own:
            page = served.sign_in(own, person)
            page.goto(f"{served.url}/next/LABEL")
            left = page.locator("section[aria-labelledby=side-A]").inner_text()
            press(page, "1" if ("left 1" in left) == (winner is A) else "2", "Control+Enter")
            expect(page.get_by_text("Nothing is left")).to_be_visible()
    with chromium.new_context() as own:
        page = served.sign_in(own, CAROL)
        page.goto(f"{served.url}/next/ADJUDICATION")
        labels = page.get_by_label("The labels that disagree")
        expect(labels.get_by_text("A is better")).to_be_visible()
        expect(labels.get_by_text("B is better")).to_be_visible()
        expect(page.get_by_text(re.compile(r"\bann\b|\bbob\b"))).to_have_count(0)
        press(page, "3", "Control+Enter")
        expect(page.get_by_text("Nothing is left")).to_be_visible()
    verdict = adjudicate(served.place.log)
    assert (verdict.state, verdict.winner) == ("adjudicated", TIE)
    assert [label.winner for label in served.place.log] == [A, B, TIE]


def test_a_reservation_that_ran_out_is_told_and_loses_nothing(
    served: Served, context: BrowserContext
) -> None:
    served.place.put(pair(1), pair(2))
    page = served.sign_in(context, ANN)
    page.goto(f"{served.url}/next/LABEL")
    served.place.take(BOB)
    served.place.now += HOLD_S + 1
    served.place.label(BOB, A)
    served.place.take(EVE)
    press(page, "1", "Control+Enter")
    expect(page.get_by_text("your reservation of this item ran out")).to_be_visible()
    expect(chosen(page)).to_have_value("A")
    assert [label.annotator for label in served.place.log] == ["bob"]
    page.goto(f"{served.url}/next/LABEL")
    on_item(page, 2)


def test_a_connection_lost_while_saving_keeps_the_draft(
    served: Served, context: BrowserContext
) -> None:
    served.place.put(pair(1), pair(2))
    page = served.sign_in(context, ANN)
    page.goto(f"{served.url}/next/LABEL")

    def cut(route: Route) -> None:
        route.abort("connectionreset")

    page.route("**/label", cut)
    page.route("**/draft", cut)
    press(page, "2", "c")
    page.keyboard.type("long thought about")
    press(page, "Control+Enter")
    expect(page.get_by_text("the connection to the server was lost")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox")).to_have_value("long thought about")
    expect(chosen(page)).to_have_value("B")
    assert served.place.log == []
    page.unroute("**/label")
    page.unroute("**/draft")
    press(page, "Control+Enter")
    on_item(page, 2)
    assert [label.comment for label in served.place.log] == ["long thought about"]


def test_an_answer_lost_after_kafka_had_the_label_is_one_label(
    served: Served, context: BrowserContext
) -> None:
    served.place.put(pair(1), pair(2))
    page = served.sign_in(context, ANN)
    page.goto(f"{served.url}/next/LABEL")

    def swallow(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/label", swallow, times=1)
    press(page, "1", "Control+Enter")
    expect(page.get_by_text("the connection to the server was lost")).to_be_visible()
    press(page, "Control+Enter")
    on_item(page, 2)
    assert len(served.place.log) == 1


def test_an_outage_of_kafka_says_what_to_do_and_keeps_the_draft(
    served: Served, context: BrowserContext
) -> None:
    served.place.put(pair())
    served.place.down = True
    page = served.sign_in(context, ANN)
    page.goto(f"{served.url}/next/LABEL")
    press(page, "1", "Control+Enter")
    expect(page.get_by_text("Not saved: Kafka is away")).to_be_visible()
    served.place.down = False
    press(page, "Control+Enter")
    expect(page.get_by_text("Nothing is left")).to_be_visible()
    assert len(served.place.log) == 1


@pytest.mark.parametrize("view", ["", "?queue=AUDIT"])
def test_hostile_text_does_nothing_anywhere(
    served: Served, context: BrowserContext, view: str
) -> None:
    bad = comparison(
        *(
            verified(f"{n}{HOSTILE}", output=f"{n}{HOSTILE}\n```sql\n'{HOSTILE}'\n```")
            for n in "xy"
        ),
        event_id=HOSTILE,
        purpose="ANCHOR",
        slice=HOSTILE,
        rubric_id=HOSTILE,
        messages=(Message(role=HOSTILE, content=HOSTILE),),
    )
    served.place.put(bad)
    served.place.put(bad, role=LabelRole.AUDIT)
    served.place.notice = HOSTILE
    page = served.sign_in(context, LEE)
    said: list[str] = []

    def note(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.goto(f"{served.url}/next/LABEL")
    press(page, "1", "c")
    page.keyboard.type(HOSTILE)
    press(page, "Control+Enter")
    page.wait_for_url("**/?done=LABEL")
    page.goto(f"{served.url}/next/AUDIT")
    press(page, "d", "s")
    page.keyboard.type(HOSTILE)
    press(page, "Enter")
    page.wait_for_url("**/?done=AUDIT")
    for path in ("/", f"/items{view}", "/judges", f"/pairs?id={HOSTILE}", "/items/1/result"):
        page.goto(f"{served.url}{path}")
        expect(page.get_by_role("region", name="Notice")).to_contain_text("<script>alert(1)")
        assert page.locator("main img, main svg:not(.chart), body > img").count() == 0
    assert said == []
    assert [label.comment for label in served.place.log] == [HOSTILE]


def test_agreement_with_others_shows_once_labels_are_final(
    served: Served, context: BrowserContext
) -> None:
    served.place.put(pair(1), pair(2))
    for person in (ANN, BOB):
        served.place.label(person, A)
        served.place.label(person, B)
    page = served.sign_in(context, ANN)
    expect(page.get_by_text("Once others have labelled")).to_be_visible()
    served.place.now += UNDO_S
    page.reload()
    expect(page.get_by_text("You agree on 100 % of 2 comparisons")).to_be_visible()


def test_it_works_without_scripts(served: Served, chromium: Browser) -> None:
    served.place.put(pair(1), pair(2))
    with chromium.new_context(java_script_enabled=False) as own:
        page = served.sign_in(own, ANN)
        page.get_by_role("link", name="Start").click()
        page.locator("label.choice").first.click()
        page.get_by_role("button", name="Save and next").click()
        on_item(page, 2)
        page.get_by_role("button", name="Undo").click()
        on_item(page, 1)
    assert len(served.place.log) == 2
