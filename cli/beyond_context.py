"""What `rounds` and `tune` say of texts that a policy has no room for."""


def beyond_context(
    *, truncated: int, dropped: int, anchors: int, prompts: int = 0, held_out: int = 0
) -> str:
    """The counts that are not zero, in words: rows, and prompts without an answer."""
    counts = {
        "prompts gave no answer": prompts,
        "anchor prompts could not be answered by both": anchors,
        "held-out prompts had no answer": held_out,
        "rows were cut at max_length": truncated,
        "rows were dropped as too long for it": dropped,
    }
    return ", ".join(f"{n} {what}" for what, n in counts.items() if n)
