"""Llamas of common sizes with random weights: what a training costs does not depend on them."""

from pathlib import Path
from typing import Final, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from examples.harbor.policy import CHECKPOINT
from trainer.quiet import quiet

Size = Literal["20m", "50m", "120m", "210m", "1b", "3b", "8b"]

# Layers, width, inner width, heads, key heads, words: of Llama 3.1 and 3.2 (model cards), but for
# the small ones, which a processor can train too.
_SHAPES: Final[dict[Size, tuple[int, int, int, int, int, int]]] = {
    "20m": (6, 512, 1408, 8, 4, 4_096),
    "50m": (8, 768, 2048, 12, 4, 4_096),
    "120m": (8, 1152, 3072, 9, 3, 4_096),
    "210m": (8, 1536, 4096, 12, 4, 4_096),
    "1b": (16, 2048, 8192, 32, 8, 128_256),
    "3b": (28, 3072, 8192, 24, 8, 128_256),
    "8b": (32, 4096, 14336, 32, 8, 128_256),
}


def save_random_llama(size: Size, folder: Path) -> int:
    """Write one, with Harbor's tokenizer, in bfloat16; returns its number of parameters."""
    layers, width, inner, heads, key_heads, words = _SHAPES[size]
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
    config = LlamaConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        intermediate_size=inner,
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        vocab_size=words,
        tie_word_embeddings=size != "8b",
        max_position_embeddings=2048,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="bfloat16",
    )
    with quiet(), torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config, dtype=torch.bfloat16
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return int(model.num_parameters())
