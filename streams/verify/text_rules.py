"""The checks that ``verify.text`` switches on: each a rule of the project held against one text."""

from dataclasses import dataclass, replace
from typing import Final

from infra.redaction import find_secrets
from schemas.records import CheckStatus
from streams.verify.check import Finding, Subject
from streams.verify.linear_pattern import LinearPattern
from streams.verify.text_citations import check_citations
from streams.verify.text_language import guess_language
from streams.verify.text_phrases import REFUSAL_CHARACTERS, REFUSALS, phrase_in
from streams.verify.text_settings import (
    CitationsRule,
    LanguageRule,
    LengthRule,
    PromisesRule,
    RefusalRule,
    RegexRule,
    SecretsRule,
    TextRule,
)

VERSION: Final = "1"

_SHOWN: Final = 5


@dataclass(frozen=True, kw_only=True)
class TextCheck:
    """A rule as a check of that name. Needs no sandbox: every rule is linear in the answer."""

    rule: TextRule
    version: str = VERSION

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def hard(self) -> bool:
        return self.rule.hard

    async def __call__(self, subject: Subject) -> Finding:
        return check_text(self.rule, subject)


def check_text(rule: TextRule, subject: Subject) -> Finding:
    """What the rule finds of the answer."""
    text = subject.output
    match rule:
        case RegexRule():
            found = LinearPattern(rule.pattern).found_in(text)
            shown = f"the pattern {rule.pattern} is {'' if found else 'not '}found"
            return _unless(found is (rule.must == "match"), shown)
        case LengthRule():
            return _length(rule, text)
        case LanguageRule():
            guess = guess_language(text)
            if guess.language is None:
                return Finding(status=CheckStatus.INCONCLUSIVE, evidence=guess.reason)
            evidence = f"{guess.language} ({guess.reason})"
            return _unless(guess.language in rule.languages, evidence)
        case RefusalRule():
            phrase = phrase_in(text[:REFUSAL_CHARACTERS], (*REFUSALS, *rule.phrases))
            return _unless(phrase is None, f"begins to refuse: {phrase}")
        case PromisesRule():
            phrase = phrase_in(text, rule.phrases)
            return _unless(phrase is None, f"holds the phrase: {phrase}")
        case SecretsRule():
            secrets = find_secrets(text, entropy=rule.entropy)
            shown = ", ".join(f"{s.kind} at character {s.start + 1}" for s in secrets[:_SHOWN])
            # What it is, never it itself: evidence is stored and shown.
            return _unless(not secrets, f"{len(secrets)} found: {shown}")
        case CitationsRule():
            return _citations(rule, subject)


def _length(rule: LengthRule, text: str) -> Finding:
    length = len(text) if rule.unit == "characters" else len(text.split())
    low, high = rule.min or 0, rule.max
    allowed = length >= low and (high is None or length <= high)
    limits = f"at least {low}" if high is None else f"{low} to {high}"
    return _unless(allowed, f"{length} {rule.unit}, allowed are {limits}")


def _citations(rule: CitationsRule, subject: Subject) -> Finding:
    found = check_citations(
        subject.output,
        subject.context,
        by_source=rule.style == "source",
        min_quote_words=rule.min_quote_words,
    )
    if not found.claims:
        return _unless(not rule.required, "nothing is quoted or cited")
    shown = "\n".join(found.missing[:_SHOWN])
    held = f"{found.claims - len(found.missing)} of {found.claims} are in the context"
    finding = _unless(not found.missing, f"{held}\n{shown}".strip())
    return replace(finding, score=found.score)


def _unless(right: bool, evidence: str) -> Finding:
    if right:
        return Finding(status=CheckStatus.PASS)
    return Finding(status=CheckStatus.FAIL, evidence=evidence)
