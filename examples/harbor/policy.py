"""Harbor's policy: a small Llama with a tokenizer of its own, both made from the train split."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

CHECKPOINT: Final = Path(__file__).parent / "checkpoints" / "policy"

_PAD, _USER, _ASSISTANT, _END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"
_VOCABULARY: Final = 1024
_CONTEXT_TOKENS: Final = 512

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
        model_max_length=_CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = _CHAT_TEMPLATE
    return fast


def new_model(tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """An untrained policy of about 2.4 million parameters."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(  # type: ignore[no-untyped-call]
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=5,
            num_attention_heads=6,
            num_key_value_heads=6,
            max_position_embeddings=_CONTEXT_TOKENS,
            tie_word_embeddings=True,
            # The usual 0.02 suits widths of thousands. With 0.06, and 0.98 for Adam's second beta,
            # 84 % of the queries were exact after 200 steps; with the usual values none were (one
            # seed, both changed together).
            initializer_range=0.06,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def load(path: Path = CHECKPOINT) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The saved policy in float32 (a CPU without bfloat16 units is far slower in it)."""
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    model.train(False)
    return model, AutoTokenizer.from_pretrained(path)


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: Path) -> None:
    """Write both; weights as float16, in which these small values lose nothing that shows."""
    path.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(path)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(path)
    model.float()  # type: ignore[no-untyped-call]


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
