"""The exact prompts of a judgment, rendered again and proven by the hashes stored with it.

A judgment keeps the hash of every prompt, not its text: the text follows from the comparison that
it carries, the rubric or constitution (immutable once used), this release's template, the judge's
settings and the secret behind the codes.
"""

from collections.abc import Sequence

from schemas.events import Judgment
from schemas.records import Opinion, Record
from streams.judge.member import Member
from streams.judge.prompt import JudgePrompt
from streams.judge.wording import PROMPT_VERSIONS


class Proof(Record):
    """What one opinion was asked with; ``matches``: the prompt has the hash that was stored.

    Where it has not, ``why`` says what is another now.
    """

    opinion: Opinion
    prompt: JudgePrompt | None
    matches: bool
    why: str = ""


def prove(judgment: Judgment, members: Sequence[Member], *, same_config: bool) -> tuple[Proof, ...]:
    """A proof for each opinion, in their order.

    ``members`` are the judges as the project has them today, by the versions of rubric and panel
    that the judgment names; ``same_config``: their judge_config_hash is the judgment's.
    """
    by_name = {member.name: member for member in members}
    return tuple(
        _proof(judgment, opinion, by_name.get(opinion.member), same_config)
        for opinion in judgment.opinions
    )


def _proof(judgment: Judgment, opinion: Opinion, member: Member | None, same_config: bool) -> Proof:
    if member is None:
        why = f"the project has no judge {opinion.member!r} to render its prompt by"
        return Proof(opinion=opinion, prompt=None, matches=False, why=why)
    prompt = member.asked(judgment.comparison, opinion)
    if prompt.sha256 == opinion.prompt_sha256:
        return Proof(opinion=opinion, prompt=prompt, matches=True)
    why = _difference(opinion, prompt, same_config)
    return Proof(opinion=opinion, prompt=prompt, matches=False, why=why)


def _difference(opinion: Opinion, prompt: JudgePrompt, same_config: bool) -> str:
    if opinion.prompt_version != prompt.version:
        if opinion.prompt_version in PROMPT_VERSIONS.values():
            return f"it was asked as {opinion.prompt_version}; judge.mode is another now"
        return (
            f"its template was {opinion.prompt_version} and is {prompt.version} in this release; "
            "show it with the release that judged it"
        )
    if same_config:
        return (
            "the judge is configured as it was, so the secret behind the codes is another: use the "
            "data folder or the PREFSTREAM_NONCE_KEY of the worker that judged it"
        )
    return (
        "the judge is configured otherwise now (judge of pipeline.yaml, say show_checks, defences "
        "or max_candidate_characters), or the secret behind the codes is another"
    )
