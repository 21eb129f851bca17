"""axe-core finds no serious barrier on any page, light and dark, narrow and wide."""

from typing import Literal

import pytest
from playwright.sync_api import Browser

from schemas.records import Check, CheckStatus, HumanWinner, LabelRole
from tests.browser.conftest import Served
from tests.events import comparison, verified
from tests.review_desk import ANN, BOB, CAROL, LEE, pair

_RUN = """async () => {
  const { passes, violations } = await axe.run();
  return [passes.length, violations.map((v) => [v.id, v.impact, v.nodes[0].html])];
}"""
_SERIOUS = ("serious", "critical")
_SQL = "It sums.\n```sql\nSELECT sum(x), 'é' AS s FROM t WHERE y = 1.5 -- all\n```\n"


def _prepared(served: Served) -> None:
    found = Check(name="gate", version="1", hard=True, status=CheckStatus.FAIL, evidence="no rows")
    sides = [
        verified(n, output=f"{n} {_SQL}").model_copy(update={"checks": (found,)}) for n in "xy"
    ]
    place = served.place
    place.notice = "Judge jc is demoted: kappa 0.61 against 0.65."
    place.put(pair(1))
    place.label(ANN, HumanWinner.A)
    place.label(BOB, HumanWinner.B)
    place.put(comparison(*sides, event_id="sql", prompt_id="sql", purpose="ANCHOR"))
    place.put(pair(3), role=LabelRole.AUDIT)
    # Held by another person and skipped by a second, so that the lists have something to show.
    place.desk.skip(CAROL, place.take(CAROL), "needs an expert")
    place.take(ANN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_has_a_serious_barrier(
    served: Served, chromium: Browser, axe: str, scheme: Literal["light", "dark"], width: int
) -> None:
    _prepared(served)
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{served.url}/sign-in")
    barriers = {}

    def look(name: str) -> None:
        page.evaluate(axe)
        looked_at, violations = page.evaluate(_RUN)
        assert looked_at > 10
        found = [one for one in violations if one[1] in _SERIOUS]
        if found:
            barriers[name] = found

    look("sign in")
    page.close()
    page = served.sign_in(context, LEE)
    paths = ("/", "/next/LABEL", "/items", "/judges", "/pairs?id=x", "/nowhere")
    for path in (*paths, "/next/ADJUDICATION", "/next/AUDIT"):
        page.goto(f"{served.url}{path}")
        look(path)
    page.goto(f"{served.url}/next/LABEL")
    page.keyboard.press("1")
    page.keyboard.press("d")
    look("differences, chosen")
    page.keyboard.press("s")
    look("skip")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    look("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/?done=LABEL")
    look("saved")
    code = page.locator("form[data-undo] input[name=csrf]").input_value()
    item = served.place.log[-1]
    assert item.comparison_id == "sql"
    page.request.post(f"{served.url}/items/2/reveal", form={"csrf": code})
    page.goto(f"{served.url}/items/2/result")
    look("result")
    context.close()
    assert barriers == {}
