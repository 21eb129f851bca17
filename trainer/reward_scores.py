"""A trained reward model, asked for scores."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from schemas.records import Message
from trainer.checkpoint import load_reward_model
from trainer.quiet import quiet

# The answers to one prompt, or those of one training step, on CPU and GPU alike.
_BATCH_TEXTS: Final = 32


class RewardModel:
    """The reward model in a folder; higher is better, only differences mean something.

    Raises ``ConfigError`` where the folder holds none. May be shared by threads.
    """

    def __init__(self, path: Path) -> None:
        with quiet():
            self._loaded = load_reward_model(path)
        self._loaded.to_device()
        # A fast tokenizer may not be called by two threads at once.
        self._lock = threading.Lock()

    def scores(self, chats: Sequence[Sequence[Message]]) -> list[float | None]:
        """The score of each chat, None where it is longer than the model can read."""
        with self._lock:
            ids = self._loaded.token_ids(chats)
            fitting = [index for index, one in enumerate(ids) if self._fits(one)]
            found: list[float | None] = [None] * len(ids)
            for start in range(0, len(fitting), _BATCH_TEXTS):
                batch = fitting[start : start + _BATCH_TEXTS]
                for index, score in zip(batch, self._forward([ids[i] for i in batch]), strict=True):
                    found[index] = score
            return found

    def __call__(
        self,
        prompts: Sequence[Sequence[dict[str, Any]]],
        completions: Sequence[Sequence[dict[str, Any]]],
        **columns: object,
    ) -> list[float | None]:
        """As a reward function of TRL: prompts and completions are message lists."""
        del columns
        return self.scores(
            [
                [Message(role=turn["role"], content=turn["content"]) for turn in (*prompt, *answer)]
                for prompt, answer in zip(prompts, completions, strict=True)
            ]
        )

    def _fits(self, ids: Sequence[int]) -> bool:
        return 0 < len(ids) <= self._loaded.max_length

    def _forward(self, texts: Sequence[Sequence[int]]) -> list[float]:
        import torch

        model, pad = self._loaded.model, self._loaded.tokenizer.pad_token_id
        width = max(map(len, texts))
        ids = [[*one, *[pad] * (width - len(one))] for one in texts]
        seen = [[1] * len(one) + [0] * (width - len(one)) for one in texts]
        with torch.inference_mode():
            logits = model(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(seen, device=model.device),
            ).logits
        scores: list[float] = logits[:, 0].float().tolist()
        return scores
