"""Harbor's anchors as pairs with a known better answer: `python -m examples.harbor.judge.pairs`.

Prints JSON Lines for `prefstream judge attack`. The anchors are SIMULATED.
"""

from examples.harbor.anchors import anchors
from streams.judge.attack.pairs import PairRow


def main() -> None:
    """Every anchor of the calibration split that has a worse side, as planted."""
    for anchor in anchors("calibration"):
        if anchor.faulty is not None:
            a_is_worse = anchor.faulty == "A"
            row = PairRow(
                prompt=anchor.question.text,
                better=anchor.b if a_is_worse else anchor.a,
                worse=anchor.a if a_is_worse else anchor.b,
            )
            print(row.model_dump_json())


if __name__ == "__main__":
    main()
