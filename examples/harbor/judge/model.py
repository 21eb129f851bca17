"""Harbor's judge model: its size, its checkpoint, and many prompts at once through it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from examples.harbor.small_llama import new_llama
from streams.judge.prompt import JudgePrompt

CHECKPOINT: Final = Path(__file__).parents[1] / "checkpoints" / "judge"

# Two citations of at most four findings each, the verdict and the end.
MAX_OPINION_TOKENS: Final = 40


def new_model(tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """An untrained judge of about 0.85 million parameters."""
    return new_llama(tokenizer, seed=seed, width=128, inner=352, layers=4, heads=4)


def rendered(tokenizer: PreTrainedTokenizerBase, prompt: JudgePrompt) -> str:
    """The prompt as the tokenizer's chat template writes it."""
    text = tokenizer.apply_chat_template(
        [turn.model_dump() for turn in prompt.messages], tokenize=False, add_generation_prompt=True
    )
    return str(text)


@torch.inference_mode()
def write(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[Sequence[int]]
) -> list[tuple[int, ...]]:
    """What the judge writes after each prompt, greedily, with its end token."""
    training = model.training
    model.train(False)
    inputs = tokenizer.pad(
        {"input_ids": [list(prompt) for prompt in prompts]},
        padding_side="left",
        return_tensors="pt",
    )
    output = model.generate(  # type: ignore[operator]
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=MAX_OPINION_TOKENS,
        do_sample=False,
    )
    model.train(training)
    written = output[:, inputs["input_ids"].shape[1] :].tolist()
    return [tuple(token for token in row if token != tokenizer.pad_token_id) for row in written]
