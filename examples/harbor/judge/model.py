"""Harbor's judge model: its size, its checkpoint, and many prompts at once through it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from streams.judge.prompt import JudgePrompt

CHECKPOINT: Final = Path(__file__).parents[1] / "checkpoints" / "judge"
_CONTEXT_TOKENS: Final = 512

# Two citations of at most four findings each, the verdict and the end.
MAX_OPINION_TOKENS: Final = 40


def new_model(tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """An untrained judge of about 0.85 million parameters."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(  # type: ignore[no-untyped-call]
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=352,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=_CONTEXT_TOKENS,
            tie_word_embeddings=True,
            # about 1 / sqrt(hidden_size): from the usual 0.02, copying is learned far later
            initializer_range=0.06,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: Path) -> None:
    """Write both; weights as float16, in which these small values lose nothing that shows."""
    path.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(path)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(path)
    model.float()  # type: ignore[no-untyped-call]


def load(path: Path = CHECKPOINT) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The saved judge in float32 (a CPU without float16 units is far slower in it)."""
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    model.train(False)
    return model, AutoTokenizer.from_pretrained(path)


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
