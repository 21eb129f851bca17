"""What a judge goes by: a rubric, or principles of a constitution as a rubric's criteria."""

from pathlib import Path

from schemas.errors import ConfigError
from schemas.ids import ConfigHash, config_hash
from streams.constitution import Constitution, drawn_principles, load_constitution
from streams.judge.rubric import Criterion, Rubric, load_rubric
from streams.judge.settings import MemberSettings

Standard = Rubric | Constitution


def rubric_for(standard: Standard, comparison_id: str, principles: int | None) -> Rubric:
    """The rubric by which one comparison is judged; the same in both orders and when redone."""
    if isinstance(standard, Rubric):
        return standard
    drawn = drawn_principles(standard, principles, comparison_id)
    return Rubric(
        id=standard.id,
        version=standard.version,
        criteria=tuple(
            Criterion(id=principle.id, text=principle.text, decided_by="judge")
            for principle in drawn
        ),
        instructions=standard.instructions,
        tie_policy=standard.tie_policy,
    )


def standard_hash(standard: Standard, principles: int | None) -> ConfigHash:
    """Hash of the file's content and of how many principles are drawn from it."""
    return config_hash(standard.hash, "" if principles is None else str(principles))


def load_standard(project_dir: Path, settings: MemberSettings, where: str) -> Standard:
    """The rubric or constitution that the settings name, which stand in ``where``.

    Raises ``ConfigError`` where they name neither, or the file is wrong.
    """
    if settings.rubric:
        return load_rubric(project_dir, settings.rubric)
    if settings.constitution:
        return load_constitution(project_dir, settings.constitution)
    raise ConfigError(
        f"{where} has a model but neither a rubric nor a constitution; add `rubric: ID/VERSION` of "
        "a file rubrics/ID/VERSION.yaml"
    )
