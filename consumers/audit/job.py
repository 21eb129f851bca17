"""The audit out of the topics: what is sampled, what people said of it, who waits."""

from dataclasses import dataclass

from consumers.audit.findings import Findings, findings, waiting
from consumers.audit.sample import AuditSettings, items, sampled
from infra.topic_log import EventLog
from schemas.events import Comparison, Judgment, Label, Preference


@dataclass(frozen=True, kw_only=True)
class Audit:
    """``waiting`` are the comparisons for the audit queue."""

    findings: Findings
    waiting: tuple[Comparison, ...]


def audit_topics(
    log: EventLog,
    audit: AuditSettings,
    min_margin: float,
    judge_config_hash: str | None = None,
) -> Audit:
    """The audit of all preferences of the log, or of one judge's (the verifier's are among them).

    Only the sampled few are held. Raises ``DependencyDown`` where Kafka is away.
    """
    preferences = (
        one
        for one in log.events(Preference)
        if judge_config_hash is None or one.judge_config_hash == judge_config_hash
    )
    chosen = sampled(preferences, audit, min_margin)
    asked = list(items(chosen, log.events(Judgment)))
    labels = list(log.events(Label))
    return Audit(findings=findings(asked, labels), waiting=tuple(waiting(asked, labels)))
