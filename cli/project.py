"""The whole of a project's pipeline.yaml: the stages' sections and those of what follows them."""

from pathlib import Path

from consumers.audit.sample import AuditSettings
from consumers.calibration.calibrate import CalibrationSettings
from consumers.trigger.settings import TriggerSettings
from infra.yaml_config import load_yaml
from streams.pipeline import Pipeline, project_file
from trainer.blend import BlendSettings
from trainer.dpo import DpoConfig
from trainer.gate_settings import GateSettings
from trainer.grpo import GrpoConfig
from trainer.kto import KtoConfig
from trainer.orpo import OrpoConfig
from trainer.promotion.settings import CanarySettings, PromotionSettings
from trainer.reward import RewardConfig
from trainer.rloo import RlooConfig
from trainer.sft import SftConfig
from trainer.simpo import SimpoConfig


class Project(Pipeline):
    """Every section of pipeline.yaml, typed."""

    calibration: CalibrationSettings = CalibrationSettings()
    gate: GateSettings = GateSettings()
    audit: AuditSettings = AuditSettings()
    blend: BlendSettings = BlendSettings()
    promotion: PromotionSettings = PromotionSettings()
    canary: CanarySettings = CanarySettings()
    trigger: TriggerSettings = TriggerSettings()
    sft: SftConfig = SftConfig()
    dpo: DpoConfig = DpoConfig()
    orpo: OrpoConfig = OrpoConfig()
    simpo: SimpoConfig = SimpoConfig()
    kto: KtoConfig = KtoConfig()
    reward: RewardConfig = RewardConfig()
    rloo: RlooConfig = RlooConfig()
    grpo: GrpoConfig = GrpoConfig()


def load_project(project_dir: Path) -> Project:
    """The project's settings; raises ``ConfigError`` with file, line and remedy."""
    return load_yaml(project_file(project_dir), Project)
