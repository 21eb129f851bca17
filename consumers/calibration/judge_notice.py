"""The sentence that stands on every page while a judge's labels do not reach the trainer."""

from collections.abc import Sequence

from schemas.records import GateResult, Verdict


def judge_notice(
    judge_config_hash: str, results: Sequence[GateResult], *, demoted: bool
) -> str | None:
    """What is wrong with the judge and what follows; None where every gate passes.

    ``demoted`` says that it stood promoted before. Gates that FAIL are named before those that
    are INCONCLUSIVE, each with its reason.
    """
    failed = [one for one in results if one.verdict is Verdict.FAIL]
    unclear = [one for one in results if one.verdict is Verdict.INCONCLUSIVE]
    why = "; ".join(_reason(one) for one in failed or unclear)
    if demoted and failed:
        return (
            f"Judge {judge_config_hash} is demoted: {why}. "
            "No new preference of it reaches the trainer until it passes again."
        )
    if failed:
        return f"Judge {judge_config_hash} does not pass: {why}. Nothing trains on its labels."
    if unclear:
        return (
            f"Judge {judge_config_hash} is not cleared yet: {why}. "
            "Nothing trains on its labels until it is."
        )
    return None


def _reason(one: GateResult) -> str:
    if one.value is None or one.threshold is None:
        return f"{one.name} ({one.detail})" if one.detail else one.name
    return f"{one.name} {one.value:.3g} against {one.threshold:.3g}"
