"""The judge section of a project into the judges behind it."""

from collections.abc import Callable, Collection
from pathlib import Path

from schemas.errors import ConfigError
from streams.inference.chat import ChatModel
from streams.inference.identity import endpoint_model, resolved
from streams.judge.judges import Judges
from streams.judge.listwise import ListwiseMember
from streams.judge.lock import lock
from streams.judge.member import Member
from streams.judge.panel import Panel, load_panel
from streams.judge.recorded import RECORDED, RecordedVerdicts, read_recorded
from streams.judge.rubric import Rubric
from streams.judge.settings import JudgeSettings, MemberSettings
from streams.judge.standard import Standard, load_standard

OpenModel = Callable[[str], ChatModel]


def open_judges(
    judge: JudgeSettings,
    project_dir: Path,
    open_model: OpenModel,
    *,
    checks: Collection[str],
    policies: Collection[str],
    nonce_key: Callable[[], bytes],
    trial: str | None = None,
) -> Judges | None:
    """The panel or the one judge that the section names; None where only verifiers decide.

    ``open_model`` opens a reference whose folder is absolute, ``checks`` are the names of the
    project's hard checks, ``policies`` the models that are judged, ``nonce_key`` gives the secret
    behind the codes in prompts. ``trial`` is another version of a rubric of theirs to judge by.
    Locks the versions that are used, but for one on trial. Raises ``ConfigError`` for a bad file, a
    changed version, an unknown check or a judge that is a policy, and what ``open_model`` raises.
    """
    panel, members = _members(judge, project_dir)
    if not members:
        return None
    if trial is not None:
        members = _by_version(members, trial)
    standards = {name: load_standard(project_dir, one, name) for name, one in members.items()}
    for name, one in members.items():
        _refuse_unknown_checks(standards[name], checks)
        _refuse_recorded_ranking(one, name)
        if not judge.allow_same_model:
            _refuse_policy(one, name, project_dir, policies)
    for standard in standards.values():
        lock(project_dir, standard, add=standard.ref != trial)
    if panel is not None:
        lock(project_dir, panel)
    return Judges(
        [
            (ListwiseMember if one.mode == "listwise" else Member)(
                one.model_copy(update={"model": resolved(one.model or "", project_dir)}),
                standards[name],
                _model(one.model or "", project_dir, open_model),
                name=name if panel else "",
                nonce_key=nonce_key(),
            )
            for name, one in members.items()
        ],
        panel,
        trial=trial,
    )


def _members(
    judge: JudgeSettings, project_dir: Path
) -> tuple[Panel | None, dict[str, MemberSettings]]:
    """The settings of everyone who is asked, by the name that errors call them."""
    if judge.panel is not None:
        panel = load_panel(project_dir, judge.panel)
        return panel, {member.name: member for member in panel.members}
    return None, {"judge": judge} if judge.model else {}


def _by_version(members: dict[str, MemberSettings], trial: str) -> dict[str, MemberSettings]:
    """The members with their rubrics of the same id exchanged for the version on trial."""
    rubric_id = trial.partition("/")[0]
    own = {name for name, one in members.items() if (one.rubric or "").startswith(f"{rubric_id}/")}
    if not own:
        known = ", ".join(sorted({one.rubric for one in members.values() if one.rubric}))
        raise ConfigError(
            f"no judge of the project goes by a rubric {rubric_id} (they have {known or 'none'}), "
            f"so {trial} is no version of theirs; make it a file beside the one in use"
        )
    return {
        name: one.model_copy(update={"rubric": trial}) if name in own else one
        for name, one in members.items()
    }


def _refuse_unknown_checks(standard: Standard, checks: Collection[str]) -> None:
    for criterion in standard.criteria if isinstance(standard, Rubric) else ():
        if criterion.check is not None and criterion.check not in checks:
            raise ConfigError(
                f"rubrics/{standard.ref}.yaml: criterion {criterion.id} is decided by the check "
                f"{criterion.check!r}, which is no hard check here, so nobody would decide it; "
                f"name one of {', '.join(sorted(checks))}"
            )


def _refuse_recorded_ranking(member: MemberSettings, name: str) -> None:
    if member.mode == "listwise" and (member.model or "").startswith(RECORDED):
        raise ConfigError(
            f"{name}: {member.model} holds verdicts on pairs and ranks nothing; name a model, or "
            "leave mode: listwise out"
        )


def _refuse_policy(
    member: MemberSettings, name: str, project_dir: Path, policies: Collection[str]
) -> None:
    def known(ref: str) -> str:
        return endpoint_model(resolved(ref, project_dir))

    if known(member.model or "") in map(known, policies):
        raise ConfigError(
            f"{name}: {member.model} is a policy of sample.models too, so it would judge its own "
            "answers; name another model, or set judge.allow_same_model: true (its verdicts are "
            "then marked same_model)"
        )


def _model(ref: str, project_dir: Path, open_model: OpenModel) -> ChatModel | RecordedVerdicts:
    if ref.startswith(RECORDED):
        return read_recorded(project_dir / ref.removeprefix(RECORDED))
    return open_model(resolved(ref, project_dir))
