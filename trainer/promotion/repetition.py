"""How much an answer repeats itself. Pure."""

from typing import Final

_N: Final = 4


def repetition(text: str) -> float:
    """seq-rep-4: the share of 4-grams of words that stood in the text before; 0 for a short one.

    Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training" (arXiv 1908.04319).
    """
    words = text.split()
    grams = [tuple(words[i : i + _N]) for i in range(len(words) - _N + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
