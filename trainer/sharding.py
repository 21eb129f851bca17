"""Weights that are divided over processes: what accelerate, TRL and transformers have to be told.

By FSDP or ZeRO-3, as the files of `infra/accelerate` say.
"""

import os


def overrule_launcher() -> None:
    """Set what accelerate's launcher may have set otherwise; to be called before weights are read.

    The algorithm's section says the precision. With sparing loading only the first process reads
    weights, and the others have zeros until the policy is sharded: references and reward models are
    never told the first one's (TRL 1.16), and nothing is spared, as the zeros are written.
    """
    os.environ["ACCELERATE_MIXED_PRECISION"] = "no"
    os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"


def by_fsdp() -> bool:
    """Whether accelerate's launcher was told to shard by FSDP."""
    return os.environ.get("ACCELERATE_USE_FSDP") == "true"


def by_zero() -> bool:
    """Whether it was told to shard by DeepSpeed's ZeRO."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"


def let_processors_shard() -> None:
    """Shard by FSDP over processes without a card too: torch can, accelerate only asks cards to.

    To be called between the making of a trainer's arguments, which starts its state anew, and of
    the trainer; on cards it changes nothing.
    """
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    state = PartialState()
    if state.distributed_type is DistributedType.MULTI_CPU:
        state.distributed_type = DistributedType.MULTI_GPU


def read_alone() -> None:
    """After a training by ZeRO-3: what one process reads from now on is whole, not its share.

    Reading shares needs all processes, and the first one goes on alone to merge and evaluate.
    """
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    unset_hf_deepspeed_config()  # type: ignore[no-untyped-call,unused-ignore]
