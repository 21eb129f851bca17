"""What `prefstream review` is made of: database, project, pages, and what it does by itself."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cli.project import Project
    from consumers.review.chores import Board, Chore
    from consumers.review.web.review import Review
    from infra.settings import Settings

# Longer than a broker that is well takes by far; a person waits for it.
_DELIVERY_S = 10.0
# A queue that is some seconds behind its topic is as good as none behind for people.
_FILL_S = 10.0
# These read whole topics: a judge is not demoted, nor an audit drawn, by the second.
_NOTICE_S = 60.0
_AUDIT_S = 300.0


def open_queues() -> "tuple[Settings, Engine]":
    """The environment's settings and the database they name."""
    from consumers.review.tables import open_database
    from infra.settings import Settings

    settings = Settings()
    return settings, open_database(settings)


def find_project(folder: Path | None) -> "Project | None":
    """The project's settings; None where none was named and none is here."""
    from cli.project import load_project
    from streams.pipeline import FILE_NAME

    if folder is None and not Path(FILE_NAME).exists():
        return None
    return load_project(folder or Path())


def parts(
    settings: "Settings",
    engine: "Engine",
    folder: Path | None,
    project: "Project | None",
    board: "Board",
) -> "Review":
    """What the pages stand on."""
    import time

    from cli.show import proofs_of
    from consumers.review.desk import Desk
    from consumers.review.evidence import TableEvidence
    from consumers.review.rubrics import no_rubrics, project_rubrics
    from consumers.review.web.review import Review
    from infra.publish import Publisher
    from trainer.gate_settings import GateSettings

    gate = GateSettings() if project is None else project.gate
    return Review(
        desk=Desk(engine=engine, send=Publisher(settings, _DELIVERY_S).publish, now_s=time.time),
        rubric=no_rubrics if project is None else project_rubrics(folder or Path()),
        evidence=TableEvidence(settings),
        prompts=lambda one: () if project is None else proofs_of(one, folder or Path(), settings),
        notice=board,
        kappa_wanted=gate.min_kappa,
    )


def make_board(settings: "Settings", project: "Project | None") -> "Board":
    """The sentence on every page; nothing without a project, which says what the gate asks."""
    from cli.judge_watch import notice
    from consumers.review.chores import Board

    return Board(ask=lambda: None if project is None else notice(settings, project))


def chores(
    settings: "Settings",
    engine: "Engine",
    annotators: int,
    project: "Project | None",
    board: "Board",
) -> "list[Chore]":
    """Everything the server does by itself."""
    from consumers.review.chores import Chore

    watch = Chore(name="watching the judge", every_s=_NOTICE_S, do=board.renew)
    return [*filling(settings, engine, annotators, project), watch]


def filling(
    settings: "Settings", engine: "Engine", annotators: int, project: "Project | None"
) -> "list[Chore]":
    """Filling the queues; audits need a project, which says how many are drawn."""
    import time

    from consumers.audit.job import audit_topics
    from consumers.review.chores import Chore
    from consumers.review.intake import fill as fill_queues
    from consumers.review.intake import queue
    from infra.topic_log import TopicLog
    from schemas.records import LabelRole

    label = Chore(
        name="labelling",
        every_s=_FILL_S,
        do=lambda: fill_queues(settings, engine, time.time, annotators),
    )
    if project is None:
        return [label]

    def draw_audits() -> int:
        log = TopicLog(settings)
        drawn = audit_topics(log, project.audit, project.filter.min_margin).waiting
        return queue(engine, drawn, LabelRole.AUDIT, time.time())

    return [label, Chore(name="audit", every_s=_AUDIT_S, do=draw_audits)]
