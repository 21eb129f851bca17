"""What rounds and tune say of texts that a policy has no room for."""

from cli.beyond_context import beyond_context


def test_what_did_not_fit_is_said() -> None:
    said = beyond_context(truncated=3, dropped=2, anchors=1, prompts=0)
    assert said == (
        "1 anchor prompts could not be answered by both, 3 rows were cut at max_length, "
        "2 rows were dropped as too long for it"
    )


def test_nothing_is_said_where_all_did() -> None:
    assert beyond_context(truncated=0, dropped=0, anchors=0) == ""
