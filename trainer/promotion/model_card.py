"""The model card of a version: what it is, what it was trained on, and what let it through."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from schemas.records import GateResult
from trainer.manifest import Manifest
from trainer.table_cell import cell

if TYPE_CHECKING:
    from trainer.promotion.version import Version


def model_card(version: "Version", manifest: Manifest) -> str:
    """Markdown for people; the same numbers stand in version.json for programs."""
    sources = ", ".join(f"{n} {source.lower()}" for source, n in manifest.counts.items())
    lines = [
        f"# Policy {version.name}",
        "",
        f"Trained by {version.algorithm.upper()} from preferences of workload "
        f"`{version.workload_id}` at {version.trained_at:%Y-%m-%d %H:%M} UTC, run "
        f"`{version.run_id}`.",
        "",
        f"- started from `{version.policy}`",
        f"- dataset manifest `{version.manifest_hash}`: {manifest.rows} rows ({sources})",
        *_rows(version.training),
        f"- judge configuration `{manifest.judge_config_hash or 'none'}`",
        f"- fingerprint of the weights `{version.fingerprint}`",
        "",
        "## Gates",
        "",
        "| gate | verdict | value | threshold | detail |",
        "|---|---|---|---|---|",
        *(_gate(gate) for gate in version.gates),
        "",
        "## Measured",
        "",
        "| metric | reference | this policy |",
        "|---|---|---|",
        *_metrics(version.metrics_before, version.metrics_after),
        "",
        "## Hyper-parameters",
        "",
        *(f"- {name}: {value}" for name, value in sorted(version.hyper_parameters.items())),
        "",
    ]
    return "\n".join(lines)


def _rows(training: Mapping[str, float]) -> Iterable[str]:
    if "rows" in training:
        yield (
            f"- trained on {training['rows']:.0f} of them after the blend: "
            f"{training['truncated']:.0f} cut at max_length, {training['dropped']:.0f} more left "
            "out as too long for it"
        )


def _gate(gate: GateResult) -> str:
    numbers = ("" if n is None else f"{n:.4g}" for n in (gate.value, gate.threshold))
    return f"| {cell(gate.name)} | {gate.verdict} | {' | '.join(numbers)} | {cell(gate.detail)} |"


def _metrics(before: Mapping[str, float], after: Mapping[str, float]) -> Iterable[str]:
    for name in sorted(before.keys() | after.keys()):
        cells = (f"{m[name]:.4g}" if name in m else "" for m in (before, after))
        yield f"| {cell(name)} | {' | '.join(cells)} |"
