"""How long freeze takes to hold 10,000 prompts against 1,000 anchors, beside comparing every pair.

    python -m bench.near_duplicates [--prompts 10000] [--anchors 1000]

Prompts of 60 words out of a vocabulary of 2,000, half of them a common template; every hundredth
repeats an anchor but for one word. The reference compares sets of shingles pair by pair, on a
hundredth of the prompts, and is multiplied up.
"""

import argparse
import sys
import time
from random import Random

from consumers.anchors.near_duplicates import SHINGLE_WORDS, SIMILARITY, near_duplicates

_WORDS = [f"word{n}" for n in range(2000)]


def prompts(n: int, draw: Random) -> dict[str, str]:
    """Prompts by id: thirty words of the template, thirty of their own."""
    frame = _WORDS[:30]
    return {f"p{k}": " ".join(frame + draw.choices(_WORDS, k=30)) for k in range(n)}


def _pairwise(measured: dict[str, str], candidates: dict[str, str]) -> int:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[n : n + SHINGLE_WORDS]) for n in range(len(words) - SHINGLE_WORDS + 1)}

    known = [shingles(text) for text in measured.values()]
    return sum(
        any(len(own & one) >= SIMILARITY * len(own | one) for one in known)
        for own in map(shingles, candidates.values())
    )


def main() -> None:
    """One line: seconds, and the reference's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--anchors", type=int, default=1_000)
    options = parser.parse_args()
    draw = Random(1)
    anchors = prompts(options.anchors, draw)
    rows = prompts(options.prompts, draw)
    names = sorted(anchors)
    for k in range(0, options.prompts, 100):
        rows[f"p{k}"] = f"{anchors[names[k % len(names)]]} indeed"
    began = time.perf_counter()
    found = near_duplicates(anchors, rows.items())
    seconds = time.perf_counter() - began
    some = dict(list(rows.items())[: max(1, options.prompts // 100)])
    began = time.perf_counter()
    _pairwise(anchors, some)
    reference = (time.perf_counter() - began) * len(rows) / len(some)
    sys.stdout.write(
        f"{len(rows)} prompts against {len(anchors)} anchors: {seconds:.2f} s, {len(found)} found; "
        f"every pair {reference:.1f} s\n"
    )


if __name__ == "__main__":
    main()
