"""Harbor's policy: a small Llama with a tokenizer of its own, both made from the train split."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from examples.harbor.small_llama import CONTEXT_TOKENS, new_llama

CHECKPOINT: Final = Path(__file__).parent / "checkpoints" / "policy"

_PAD, _USER, _ASSISTANT, _END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"
_VOCABULARY: Final = 1024

# The schema never changes and is learned, so the template leaves the system message out: prompts
# stay short, which is what makes two cores enough.
_CHAT_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{{ message['content'] }}<|end|>"
    "{% elif message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def new_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A lossless byte-level BPE in which a qualified column such as ` o.amount` is one word."""
    tokenizer = Tokenizer(models.BPE())
    words = Regex(r"[ \n]?\w+(?:\.\w+)?|[ \n]?[^\w\s]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=[_PAD, _USER, _ASSISTANT, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        eos_token=_END,
        additional_special_tokens=[_USER, _ASSISTANT],
        padding_side="left",
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = _CHAT_TEMPLATE
    return fast


def new_model(tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """An untrained policy of about 2.4 million parameters."""
    return new_llama(tokenizer, seed=seed, width=192, inner=512, layers=5, heads=6)


@torch.inference_mode()
def answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    temperature: float,
    seed: int,
    batch: int = 128,
) -> list[str]:
    """One sampled answer for each question text; a temperature of 0 is greedy."""
    torch.manual_seed(seed)
    model.train(False)
    answers = [""] * len(texts)
    # Questions of like length together: less padding.
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    for start in range(0, len(texts), batch):
        chosen = order[start : start + batch]
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": texts[index]}],
                add_generation_prompt=True,
                tokenize=False,
            )
            for index in chosen
        ]
        inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        sampling = {"do_sample": True, "temperature": temperature} if temperature else {}
        output = model.generate(  # type: ignore[operator]
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=200,
            top_k=0,
            **sampling,
        )
        written = tokenizer.batch_decode(
            output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        for index, text in zip(chosen, written, strict=True):
            answers[index] = text
    return answers
