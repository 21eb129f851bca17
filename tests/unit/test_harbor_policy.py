"""The committed policy: small, loads offline, and answers with SQL that runs."""

from pathlib import Path

import duckdb
import pytest
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from examples.harbor import policy, small_llama, warehouse
from examples.harbor.answers import split_answer
from examples.harbor.prompts import messages
from examples.harbor.questions import questions

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return small_llama.load(policy.CHECKPOINT)


def test_the_checkpoint_is_small() -> None:
    assert sum(file.stat().st_size for file in policy.CHECKPOINT.iterdir()) < 6_000_000


def test_it_answers_with_sql_that_runs(loaded: Loaded, tmp_path: Path) -> None:
    warehouse.build(tmp_path / "w.duckdb", seed=1)
    connection = duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True)
    asked = questions("dev")[:8]
    answers = policy.answer(*loaded, [each.text for each in asked], temperature=0.0, seed=0)
    ran = 0
    for answer in answers:
        sql, explanation = split_answer(answer)
        assert explanation
        connection.execute(sql)
        ran += 1
    assert ran == len(asked)


def test_its_tokenizer_gives_back_what_it_was_given(loaded: Loaded) -> None:
    _, tokenizer = loaded
    for text in (questions("dev")[0].sql, "It sums amount, don't it?\n\tÅngström 漢字 'x'"):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_its_chat_template_takes_the_whole_prompt(loaded: Loaded) -> None:
    _, tokenizer = loaded
    turns = [turn.model_dump() for turn in messages("How many?")]
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert prompt == "<|user|>How many?<|end|><|assistant|>"
    answered = [*turns, {"role": "assistant", "content": "Two."}]
    whole = tokenizer.apply_chat_template(answered, tokenize=False)
    assert whole == f"{prompt}Two.<|end|>"
