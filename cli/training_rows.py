"""The rows of `prefstream train`: a frozen dataset, or the topic frozen as it is now."""

from collections.abc import Sequence

from cli.current_judge import judge_config
from cli.freezing import kept_out, load_own, staged
from cli.project import Project
from cli.training_request import TrainingRequest
from consumers.anchors.held_out import repeating
from infra.settings import Settings
from infra.topic_log import TopicLog
from schemas.errors import ConfigError
from schemas.events import Preference
from trainer.dataset import FrozenDataset
from trainer.freeze import GATED_SOURCES, FreezeSettings, frozen
from trainer.prompts import Prompt, read_prompts


def training_rows(
    request: TrainingRequest,
    project: Project,
    infra: Settings,
    measuring: Sequence[Prompt],
) -> FrozenDataset:
    """The project's own rows, without those of ``measuring`` and of ``--exclude``.

    Raises ``ConfigError`` where a dataset holds one of these, or nearly.
    """
    named = [
        prompt
        for path in request.exclude
        for prompt in read_prompts(path, Prompt, project.workload)
    ]
    if request.manifest is not None:
        loaded = load_own(request.manifest, project)
        if seen := repeating(loaded.rows, [*measuring, *named]):
            raise ConfigError(
                f"{request.manifest}: {len(seen)} prompts of the dataset are a held-out one, or "
                "nearly; freeze it again with --exclude"
            )
        return loaded
    with staged(infra, Preference, request.dataset_dir, request.offsets) as log:
        asked = log.prompts(project.workload)
        out = kept_out(TopicLog(infra), project, request.project, asked, [*measuring, *named])
        settings = FreezeSettings(
            workload_id=project.workload,
            sources=request.sources or GATED_SOURCES,
            judge_config_hash=judge_config(request.judge_config, project, request.project, infra),
            excluded_prompt_ids=out.prompt_ids,
        )
        return frozen(log, settings)
