"""The pages over HTTP: who gets in, what they may see, what hostile text can do."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from consumers.review.evidence import PairHistory
from consumers.review.people import Person
from consumers.review.sessions import SESSION_S
from schemas.errors import DependencyDown
from schemas.records import (
    Check,
    CheckStatus,
    HumanWinner,
    LabelRole,
    Message,
    Opinion,
    Order,
    Winner,
)
from tests.events import comparison, judgment, verified
from tests.preferences import calibration
from tests.review_desk import ANN, BOB, CAROL, LEE, NoTables, Office, office, pair

A, B = HumanWinner.A, HumanWinner.B
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
JSON = {"accept": "application/json"}


@pytest.fixture
def place(tmp_path: Path) -> Office:
    made = office(tmp_path)
    made.put(pair())
    return made


def signed_in(place: Office, person: Person, **parts: object) -> TestClient:
    client = TestClient(place.pages(**parts))
    answer = client.post("/sign-in", data={"token": place.token(person)})
    assert answer.url.path == "/"
    return client


def csrf(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert found is not None
    return found[1]


def test_nobody_sees_anything_without_signing_in(place: Office) -> None:
    client = TestClient(place.pages())
    for path in ("/", "/next/LABEL", "/items/1", "/items/1/result", "/items", "/judges", "/pairs"):
        assert client.get(path).url.path == "/sign-in"
    answer = client.post("/items/1/label", data={"choice": "A"}, headers=JSON)
    assert (answer.status_code, place.log) == (401, [])


def test_a_wrong_token_is_told_apart_from_none_and_a_revoked_one_is_wrong(place: Office) -> None:
    client = TestClient(place.pages())
    old = place.token(ANN)
    place.token(ANN)
    for token in ("guess", old):
        answer = client.post("/sign-in", data={"token": token})
        assert (answer.status_code, "nobody's" in answer.text) == (401, True)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(place: Office) -> None:
    client = TestClient(place.pages(), base_url="https://review.example", follow_redirects=False)
    set_cookie = client.post("/sign-in", data={"token": place.token(ANN)}).headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= set(set_cookie.split("; "))


def test_another_site_cannot_sign_anybody_in(place: Office) -> None:
    client = TestClient(place.pages())
    answer = client.post(
        "/sign-in", data={"token": place.token(ANN)}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 401


def test_a_session_ends_by_itself_and_by_signing_out(place: Office) -> None:
    client = signed_in(place, ANN)
    place.now += SESSION_S + 1
    assert client.get("/").url.path == "/sign-in"
    client = signed_in(place, ANN)
    client.post("/sign-out", data={"csrf": csrf(client)})
    assert client.get("/").url.path == "/sign-in"


@pytest.mark.parametrize(
    "path", ["items/1/label", "items/1/skip", "items/1/draft", "items/1/reveal", "undo", "sign-out"]
)
@pytest.mark.parametrize("code", ["", "guess"])
def test_a_form_that_is_not_ours_changes_nothing(place: Office, path: str, code: str) -> None:
    client = signed_in(place, ANN)
    client.get("/next/LABEL")
    form = {"choice": "A", "reason": "why", "csrf": code}
    answer = client.post(f"/{path}", data=form)
    assert (answer.status_code, "not from this session" in answer.text) == (403, True)
    assert place.log == []
    assert client.get("/").url.path == "/"


def test_every_answer_forbids_inline_scripts_frames_and_guessing(place: Office) -> None:
    client = signed_in(place, LEE)
    for path in ("/", "/items/1", "/items", "/judges", "/pairs", "/nowhere", "/static/review.js"):
        headers = client.get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_no_page_has_a_script_or_style_of_its_own(place: Office) -> None:
    client = signed_in(place, LEE)
    for path in ("/sign-in", "/", "/items/1", "/items", "/judges", "/pairs"):
        text = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=\"/static/)", text)
        assert not re.search(r"(src|href)=\"(?!/)(?!#)", text)


def test_a_label_by_plain_form_goes_on_to_the_next(place: Office) -> None:
    client = signed_in(place, ANN)
    item = client.get("/next/LABEL").url.path
    form = {"choice": "A", "criteria": ["R3", "R4"], "comment": " it is ", "csrf": csrf(client)}
    answer = client.post(f"{item}/label", data=form)
    assert "Nothing is left for you" in answer.text
    (label,) = place.log
    assert (label.criteria, label.comment) == (("R3", "R4"), "it is")


def test_a_label_that_kafka_did_not_take_says_so_and_keeps_the_draft(place: Office) -> None:
    client = signed_in(place, ANN)
    item = client.get("/next/LABEL").url.path
    place.down = True
    form = {"choice": "TIE", "comment": "half a thought", "csrf": csrf(client)}
    answer = client.post(f"{item}/label", data=form, headers=JSON)
    assert (answer.status_code, answer.json()["message"]) == (503, "Kafka is away")
    page = client.get(item).text
    assert "half a thought" in page
    assert re.search(r'value="TIE" required checked', page)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/items/99", 404, "there is no item 99"),
        ("/items/none", 422, "not filled in"),
        ("/next/NOTHING", 422, "not filled in"),
        ("/nowhere", 404, "there is no such page"),
        ("/next/AUDIT", 403, "not for the role annotator"),
        ("/items", 403, "leads only"),
        ("/pairs?id=x", 403, "leads only"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(
    place: Office, path: str, status: int, said: str
) -> None:
    answer = signed_in(place, ANN).get(path)
    assert (answer.status_code, said in answer.text) == (status, True)


def test_a_verdict_that_does_not_exist_is_refused(place: Office) -> None:
    client = signed_in(place, ANN)
    item = client.get("/next/LABEL").url.path
    for choice in ("", "C", HOSTILE):
        answer = client.post(f"{item}/label", data={"choice": choice, "csrf": csrf(client)})
        assert answer.status_code == 422
    assert place.log == []


def test_a_body_larger_than_any_form_is_refused_before_it_is_read(place: Office) -> None:
    client = TestClient(place.pages())
    for body in (b"token=" + b"x" * 70_000, iter([b"token=", b"x"])):
        answer = client.post("/sign-in", content=body)
        assert answer.status_code == 413
        assert "content-security-policy" in answer.headers


def test_the_longest_comment_fits(place: Office) -> None:
    client = signed_in(place, ANN)
    item = client.get("/next/LABEL").url.path
    form = {"choice": "A", "comment": "𝄞" * 4000, "csrf": csrf(client)}
    assert client.post(f"{item}/label", data=form).status_code == 200
    assert len(place.log[0].comment or "") == 4000


def test_the_item_page_gives_away_neither_models_nor_checks(place: Office) -> None:
    found = Check(name="sql_gate", version="1", hard=True, status=CheckStatus.FAIL, evidence="no!")
    sides = [verified(f"side {n}").model_copy(update={"checks": (found,)}) for n in "xy"]
    place.put(comparison(*sides, event_id="checked", prompt_id="p", purpose="ANCHOR"))
    client = signed_in(place, ANN)
    for item in (1, 2):
        text = client.get(f"/items/{item}").text
        for secret in ("gpt", "sql_gate", "no!", "FAILED", "PASSED", "completion"):
            assert secret not in text
    client.post("/items/2/label", data={"choice": "A", "csrf": csrf(client)})
    assert client.get("/items/2/result").status_code == 403
    shown = client.post("/items/2/reveal", data={"csrf": csrf(client)})
    assert "sql_gate" in shown.text
    assert client.post("/undo", data={"csrf": csrf(client)}).status_code == 409


def test_an_adjudicator_sees_both_labels_in_their_own_sides_without_names(place: Office) -> None:
    place.label(ANN, A)
    place.label(BOB, B)
    client = signed_in(place, CAROL)
    text = client.get("/next/ADJUDICATION").text
    assert text.count('class="said"') == 2
    assert {"A is better", "B is better"} <= set(re.findall(r'class="said">([^<]+)<', text))
    assert "ann" not in re.sub(r"<[^>]+>|channel|cannot", "", text)
    assert "bob" not in text


def test_a_system_prompt_is_folded_beside_a_question(place: Office) -> None:
    system = Message(role="system", content="You are a copilot.")
    question = Message(role="user", content="How much did we sell?")
    place.put(
        pair(2).model_copy(update={"messages": (system, question)}),
        pair(3).model_copy(update={"messages": (system,)}),
    )
    client = signed_in(place, ANN)
    folds = ["<summary>system prompt</summary>" in client.get(f"/items/{n}").text for n in (2, 3)]
    assert folds == [True, False]


def test_hostile_text_is_text_on_every_page(place: Office) -> None:
    sides = [
        verified(f"{n}{HOSTILE}", output=f"{HOSTILE} {n}\n```sql\nSELECT '{HOSTILE}'\n```\n")
        for n in "xy"
    ]
    bad = comparison(
        *sides,
        event_id=HOSTILE,
        prompt_id="p",
        purpose="ANCHOR",
        slice=HOSTILE,
        rubric_id=HOSTILE,
        messages=(Message(role=HOSTILE, content=HOSTILE),),
    )
    opinion = Opinion(
        judge=HOSTILE, prompt_version=HOSTILE, prompt_sha256=HOSTILE, order=Order.AB,
        answer=Winner.A, raw_text=HOSTILE,
    )  # fmt: skip
    history = PairHistory(
        comparison=bad, completions=(), verifications=(), preferences=(), discards=(), labels=(),
        judgments=(judgment(bad, opinions=(opinion,), teacher_model=HOSTILE),),
    )  # fmt: skip
    measured = calibration(rubric_version=HOSTILE, panel=(HOSTILE,), judge_config_hash=HOSTILE)
    place.put(bad)
    place.put(bad, role=LabelRole.AUDIT)
    tables = NoTables([measured], history)
    client = signed_in(place, LEE, evidence=tables, notice=lambda: HOSTILE)
    code = csrf(client)
    draft = {"choice": "A", "criteria": [HOSTILE], "comment": f"</textarea>{HOSTILE}", "csrf": code}
    client.post("/items/2/draft", data=draft)
    client.post("/items/3/skip", data={"reason": HOSTILE, "csrf": code})
    paths = ("/", "/items/2", "/items", "/items?queue=AUDIT", "/judges", f"/pairs?id={HOSTILE}")
    for path in paths:
        text = client.get(path).text
        assert "&lt;script&gt;alert" in text, path
        assert "<script>alert" not in text, path
        assert "<img" not in text, path


def test_an_outage_of_the_tables_is_a_sentence(place: Office) -> None:
    class Away(NoTables):
        def calibrations(self) -> list:  # type: ignore[type-arg]
            raise DependencyDown("ClickHouse is away; see `prefstream status`", reason="x")

    answer = signed_in(place, ANN, evidence=Away()).get("/judges")
    assert (answer.status_code, "ClickHouse is away" in answer.text) == (503, True)


def test_a_notice_stands_on_every_page(place: Office) -> None:
    client = signed_in(place, LEE, notice=lambda: "Judge jc is demoted")
    for path in ("/", "/items/1", "/items", "/judges", "/pairs", "/nowhere"):
        assert "Judge jc is demoted" in client.get(path).text


def test_an_undefined_kappa_is_called_so(place: Office) -> None:
    nothing = {"kappa": None, "standard_error": None, "lower_bound": None, "upper_bound": None}
    text = signed_in(place, ANN, evidence=NoTables([calibration(**nothing)])).get("/judges").text
    assert "undefined" in text
    assert "nan" not in text.replace("cannot", "")
