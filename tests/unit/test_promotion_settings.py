"""What is tried before a policy serves, unless a project goes without."""

import pytest

from trainer.promotion.settings import CanarySettings, ShadowSettings, switched_off


@pytest.mark.parametrize(
    ("canary", "shadow", "off"),
    [
        (0, 0, {"canary", "shadow evaluation"}),
        (0.1, 0, {"shadow evaluation"}),
        (0, 0.1, {"canary"}),
        (0.1, 0.1, set()),
    ],
)
def test_what_is_off_is_named(canary: float, shadow: float, off: set[str]) -> None:
    found = switched_off(CanarySettings(share=canary), ShadowSettings(share=shadow))
    assert found.keys() == off


def test_nothing_is_off_unless_a_project_says_so() -> None:
    assert switched_off(CanarySettings(), ShadowSettings()) == {}
