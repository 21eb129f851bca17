"""The text rules of a project: what each lets pass and what it stops."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.records import CheckStatus, Passage
from streams.verify.check import Finding, Subject
from streams.verify.text_language import guess_language
from streams.verify.text_rules import check_text
from streams.verify.text_settings import TextRule

RULE: TypeAdapter[TextRule] = TypeAdapter(TextRule)
CONTEXT = (
    Passage(source="handbook.pdf", text="Refunds are paid within 14 days of the “return” date."),
    Passage(source="faq", text="Shipping is free from 50 euros. It takes two days."),
)


def check(rule: dict[str, Any], text: str, context: tuple[Passage, ...] = CONTEXT) -> Finding:
    parsed = RULE.validate_python({"name": "rule"} | rule)
    return check_text(parsed, Subject(output=text, context=context))


def passes(rule: dict[str, Any], text: str, context: tuple[Passage, ...] = CONTEXT) -> bool:
    status = check(rule, text, context).status
    assert status in (CheckStatus.PASS, CheckStatus.FAIL)
    return status is CheckStatus.PASS


def test_a_pattern_must_match_or_must_not() -> None:
    assert passes({"kind": "regex", "pattern": r"(?i)\bdear \w+"}, "Hello. DEAR Ann")
    assert not passes({"kind": "regex", "pattern": r"\bdear\b"}, "endear")
    forbidden = {"kind": "regex", "pattern": r"https?://", "must": "not_match"}
    assert passes(forbidden, "no link")
    assert not passes(forbidden, "see http://a.example")
    assert "is found" in check(forbidden, "http://").evidence


def test_a_pattern_that_backtracks_elsewhere_is_linear_here() -> None:
    """With backtracking this is 2^1,000,000 steps."""
    assert not passes({"kind": "regex", "pattern": "^(a+)+$"}, "a" * 10**6 + "!")


def test_a_lone_surrogate_trips_no_pattern() -> None:
    assert passes({"kind": "regex", "pattern": "^a.b$"}, "a\ud800b")


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{5000}"])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="RE2"):
        RULE.validate_python({"name": "r", "kind": "regex", "pattern": pattern})


@pytest.mark.parametrize(
    ("limits", "text", "expected"),
    [
        ({"max": 5}, "hello", True),
        ({"max": 4}, "hello", False),
        ({"min": 6}, "hello", False),
        ({"min": 2, "max": 2, "unit": "words"}, " two\n words ", True),
        ({"max": 1, "unit": "words"}, "two words", False),
    ],
)
def test_length(limits: dict[str, Any], text: str, expected: bool) -> None:
    assert passes({"kind": "length"} | limits, text) is expected


@pytest.mark.parametrize("limits", [{}, {"min": 3, "max": 2}, {"max": -1}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RULE.validate_python({"name": "r", "kind": "length"} | limits)


SENTENCES = {
    "en": "The refund will be paid within two weeks of the day on which you sent it to us.",
    "de": "Die Erstattung wird innerhalb von zwei Wochen nach dem Tag gezahlt, an dem sie kam.",
    "fr": "Le remboursement est payé dans les deux semaines qui suivent le jour de votre envoi.",
    "es": "El reembolso se paga en las dos semanas que siguen al día de la devolución.",
    "it": "Il rimborso è pagato nelle due settimane che seguono il giorno della spedizione.",
    "pt": "O reembolso é pago nas duas semanas após a data em que o produto foi devolvido.",
    "nl": "Het geld wordt binnen twee weken na de dag van het verzenden aan je betaald.",
    "ru": "Деньги будут возвращены в течение двух недель, если товар был отправлен не позже.",
    "uk": "Гроші будуть повернені протягом двох тижнів, якщо товар був надісланий не пізніше.",
    "el": "Η επιστροφή χρημάτων πληρώνεται μέσα σε δύο εβδομάδες.",
    "ar": "يتم دفع المبلغ المسترد خلال أسبوعين من يوم الإرسال.",
    "he": "ההחזר ישולם בתוך שבועיים מיום המשלוח של המוצר.",
    "hi": "रिफंड दो सप्ताह के भीतर भुगतान किया जाता है।",
    "th": "การคืนเงินจะจ่ายภายในสองสัปดาห์",
    "zh": "退款将在寄出之日起两周内支付给您。",
    "ja": "返金は発送日から二週間以内に支払われます。",
    "ko": "환불은 발송일로부터 두 주 이내에 지급됩니다.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_each_language_is_told_from_every_other(language: str) -> None:
    text = SENTENCES[language]
    assert guess_language(text).language == language
    assert passes({"kind": "language", "languages": [language]}, text)
    others = [other for other in SENTENCES if other != language]
    assert not passes({"kind": "language", "languages": others}, text)


@pytest.mark.parametrize("text", ["", "42", "OK.", "SELECT a, b FROM c", "x" * 100])
def test_too_little_to_tell_is_inconclusive(text: str) -> None:
    found = check({"kind": "language", "languages": ["en"]}, text)
    assert found.status is CheckStatus.INCONCLUSIVE


def test_code_has_no_language() -> None:
    text = SENTENCES["de"] + "\n```\n" + SENTENCES["en"] * 20 + "\n```"
    assert guess_language(text).language == "de"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I can’t help with that request.", False),
        ("I'm sorry, but I   cannot provide this.", False),
        ("Das kann ich nicht beantworten.", False),
        ("Je ne peux pas vous aider.", False),
        ("Refunds take 14 days.", True),
        ("He said: no. " * 40 + "I can't help with that.", True),
        ("Nope, go away.", True),
    ],
)
def test_refusals_are_known_phrases_at_the_beginning(text: str, expected: bool) -> None:
    assert passes({"kind": "refusal"}, text) is expected
    assert not passes({"kind": "refusal", "phrases": ["go away"]}, "Nope, go away.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We GUARANTEE\na full refund!", False),
        ("a full\u00a0refund", False),
        ("a full refunding", True),
        ("A partial refund.", True),
    ],
)
def test_forbidden_promises(text: str, expected: bool) -> None:
    rule = {"kind": "promises", "phrases": ["a full refund", "we guarantee"]}
    assert passes(rule, text) is expected


SECRETS = [
    "sk-" + "abcdefgh12345678",
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "ghp_" + "a1B2" * 9,
    "hf_" + "aB3" * 10,
    "password: hunter22",
    "postgres://admin:s3cret@db.example/x",
    "Authorization: Bearer abcdefghijkl",
    "-----BEGIN RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_found_and_never_shown(secret: str) -> None:
    found = check({"kind": "secrets", "entropy": False}, f"Use this: {secret} and go on.")
    assert found.status is CheckStatus.FAIL
    assert "1 found" in found.evidence
    assert not set(secret.split()) & set(found.evidence.split())


@pytest.mark.parametrize(
    "text",
    [
        "Your password: <password>",
        "api_key=${API_KEY}",
        "The secret of success.",
        "task-12345678 is done",
        "commit 3f2a90c1d4e5f6073f2a90c1d4e5f6073f2a90c1",
        "6f1a6f0e-52a5-5d0c-9d5c-70726566734d",
        "a_very_long_identifier_that_is_no_secret_at_all_2",
        "ThisIsALongCamelCaseNameOfAJavaClassFactoryBean2",
    ],
)
def test_what_only_resembles_a_secret_passes(text: str) -> None:
    assert passes({"kind": "secrets"}, text)


def test_random_text_is_a_secret_only_if_asked() -> None:
    token = "q7Xv2LmP9sTzK4wRb8NcY1hJd6FgA3eU"
    assert not passes({"kind": "secrets"}, f"token {token}")
    assert passes({"kind": "secrets", "entropy": False}, f"token {token}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('As it says, "refunds are paid within 14 days" [1].', True),
        ("„Shipping is free from 50 euros.“ [2]", True),
        ("“refunds are paid … return” [1, 2]", True),
        ('"Refunds are PAID\u00a0within 14 days of the “return” date"', True),
        ('"refunds are paid within 30 days" [1]', False),
        ('"return date … refunds are paid within"', False),
        ('"refunds are paid within 14 days. Shipping is free"', False),
        ("It is free [3].", False),
        ("It is free [1-2]; see [0].", False),
        ("So-called 'free' and \"fast\" shipping, a[7], [text](http://x), [ ] open.", True),
        ('```\nprint("this is not a quotation of anything")\n```', True),
    ],
)
def test_quotations_and_citations_are_in_the_context(text: str, expected: bool) -> None:
    assert passes({"kind": "citations"}, text) is expected


def test_the_score_is_the_share_in_the_context() -> None:
    found = check({"kind": "citations"}, 'It is "paid within 14 days of" [1] [2] [9].')
    assert found.score == pytest.approx(0.75)
    assert "[9]" in found.evidence


def test_sources_can_be_cited_by_name() -> None:
    rule = {"kind": "citations", "style": "source"}
    assert passes(rule, "Free [FAQ], paid [handbook.pdf].")
    assert not passes(rule, "Free [blog].")


def test_citations_can_be_required_and_need_a_context() -> None:
    assert passes({"kind": "citations"}, "Plain.")
    assert not passes({"kind": "citations", "required": True}, "Plain.")
    assert not passes({"kind": "citations"}, "Free [1].", ())


@pytest.mark.parametrize(
    "hostile",
    ["a-" * 500_000, '"' * 10**6, "“" * 10**6, "[1," * 300_000, "`" * 10**6, "password " * 10**5],
)
@pytest.mark.parametrize("kind", ["secrets", "citations", "refusal"])
def test_a_hostile_megabyte_costs_no_more_than_its_length(hostile: str, kind: str) -> None:
    """Anything quadratic would take minutes here: the test would not end."""
    assert check({"kind": kind}, hostile).status in (CheckStatus.PASS, CheckStatus.FAIL)
