"""The judge's word-level tokenizer, and the template that makes any judge prompt short for it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

PAD: Final = "<|pad|>"
END: Final = "<|end|>"
UNKNOWN: Final = "<|unknown|>"
_FIRST: Final = "<|first|>"
_SECOND: Final = "<|second|>"
_ANSWER: Final = "<|answer|>"
_SPECIAL: Final = (PAD, END, UNKNOWN, _FIRST, _SECOND, _ANSWER)

# The fixed parts of an answer are one token each, so that a verdict takes fewer steps.
_ANSWER_WORDS: Final = ("A R4:", "B R4:", "Verdict:")
_VERDICTS: Final = ("A", "B", "tie")

# The prompt of streams/judge/prompt.py without what this judge knows by heart (rubric, schema,
# question): only the two candidates stay. The delimiters' code is read from the first line and
# matched exactly, so a forged delimiter in a candidate is nothing but words.
_CHAT_TEMPLATE: Final = (
    "{%- set data = messages[-1]['content'] -%}"
    "{%- set code = data.split('\\n')[0].split(' ')[-1] -%}"
    "{%- for name, mark in [('A', '" + _FIRST + "'), ('B', '" + _SECOND + "')] -%}"
    "{%- set after = data.split('<' ~ code ~ ' ' ~ name ~ '>\\n') -%}"
    "{{ mark }}{{ after[-1].split('\\n</' ~ code ~ ' ' ~ name ~ '>')[0] }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}" + _ANSWER + "{%- endif -%}"
)


def new_tokenizer(texts: Iterable[str], *, min_count: int = 20) -> PreTrainedTokenizerFast:
    """A tokenizer of the words that stand at least ``min_count`` times in the texts.

    It reads words and marks of the WHERE clause and of the sentence after the query. The rest
    carries nothing for R4 and is dropped before the model sees it: prose around them, the query in
    front of WHERE, view aliases, quotes and commas.
    """
    draft = _tokenizer(models.WordLevel({UNKNOWN: 0}, unk_token=UNKNOWN))
    counts: Counter[str] = Counter()
    for text in texts:
        normal = draft.normalizer.normalize_str(text)
        counts.update(word for word, _ in draft.pre_tokenizer.pre_tokenize_str(normal))
    known = sorted(word for word, count in counts.items() if count >= min_count)
    words = [*_SPECIAL, *_VERDICTS, *(word for word in known if word not in _VERDICTS)]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = _tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.add_special_tokens([AddedToken(each, normalized=False) for each in _SPECIAL])
    tokenizer.add_tokens([AddedToken(each, normalized=False) for each in _ANSWER_WORDS])
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = _CHAT_TEMPLATE
    return fast


def _tokenizer(model: models.WordLevel) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"\A[^`]*```(?:sql)?"), " "),
            normalizers.Replace(Regex(r"\b[a-z]\.(?=[a-z])"), ""),
            normalizers.Replace(Regex(r"(?m:\A\s*SELECT .*?(?=\bWHERE\b))"), ""),
            normalizers.Replace(Regex(r"(?m:\..*\z)"), " ."),
            normalizers.Replace(Regex(r"['\",!?`-]"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), behavior="isolated"),
        ]
    )
    # Each token is decoded by itself as it is within a text: a word with the space before it.
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(Regex(r"^(?!A R4:)"), " "),
            decoders.Replace(Regex(r"^ (?=B R4:|Verdict:)"), "\n"),
            decoders.Replace(Regex(r"^ (?=;)"), ""),
            decoders.Fuse(),
        ]
    )
    return tokenizer
