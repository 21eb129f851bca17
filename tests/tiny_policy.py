"""A Llama of a few thousand parameters with a word-level tokenizer, made in the test."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = ["what", "is", "the", "best", "answer", "to", "yes", "no", "good", "bad", "very", "sure"]
_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "<|user|> {{ message['content'] }} <|end|> "
    "{% else %}<|assistant|> {{ message['content'] }} <|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|> {% endif %}"
)
_SPECIAL = ["<|pad|>", "<|user|>", "<|assistant|>", "<|end|>", "<|unk|>"]
CONTEXT_TOKENS = 64


def save_tiny_policy(
    path: Path, *, template: str | None = _TEMPLATE, more_words: Sequence[str] = ()
) -> Path:
    """Random weights, the same at every call; 2 layers of width 32."""
    words = [*(f"item{n}" for n in range(40)), *more_words]
    vocabulary = {word: index for index, word in enumerate([*_SPECIAL, *WORDS, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unk|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        unk_token="<|unk|>",
    )
    fast.chat_template = template
    torch.manual_seed(0)
    model = LlamaForCausalLM(  # type: ignore[no-untyped-call]
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=CONTEXT_TOKENS,
            pad_token_id=0,
            eos_token_id=3,
            bos_token_id=None,
        )
    )
    model.save_pretrained(path)
    fast.save_pretrained(path)
    return path
