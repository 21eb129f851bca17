"""What a row draws: its temperature, its nucleus, its noise."""

import torch

from streams.inference.in_process_sampling import Sampling, noise

# probabilities 0.5, 0.3, 0.15, 0.05
LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def drawn(uniform: float, *, temperature: float = 1.0, top_p: float = 1.0) -> int:
    sampling = Sampling([temperature], [top_p], "cpu")
    return int(sampling.pick(LOGITS.unsqueeze(0), torch.tensor([uniform]).double())[0])


def test_the_noise_inverts_the_cumulative_distribution() -> None:
    assert [drawn(u) for u in (0.0, 0.499, 0.501, 0.799, 0.801, 0.949, 0.951, 0.9999999)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
    ]


def test_temperature_zero_takes_the_likeliest() -> None:
    assert {drawn(u, temperature=0.0) for u in (0.0, 0.6, 0.99)} == {0}


def test_a_low_temperature_sharpens_and_a_high_one_flattens() -> None:
    assert drawn(0.6, temperature=0.25) == 0
    assert drawn(0.45, temperature=4.0) == 1


def test_the_nucleus_is_the_fewest_tokens_that_reach_top_p() -> None:
    everywhere = [i / 1000 for i in range(1000)]
    assert {drawn(u, top_p=0.5) for u in everywhere} == {0}
    assert {drawn(u, top_p=0.51) for u in everywhere} == {0, 1}
    assert {drawn(u, top_p=0.81) for u in everywhere} == {0, 1, 2}


def test_rows_do_not_touch_each_other() -> None:
    logits = torch.stack([LOGITS, LOGITS.flip(0), LOGITS])
    sampling = Sampling([0.0, 1.0, 1.0], [1.0, 0.5, 1.0], "cpu")
    assert sampling.pick(logits, torch.full((3,), 0.9).double()).tolist() == [0, 3, 2]


def test_the_noise_is_fixed_by_seed_and_prompt() -> None:
    assert torch.equal(noise(1, [5, 6], 9), noise(1, [5, 6], 9))
    assert torch.equal(noise(1, [5, 6], 9)[:4], noise(1, [5, 6], 4))
    assert not torch.equal(noise(2, [5, 6], 9), noise(1, [5, 6], 9))
    assert not torch.equal(noise(1, [5, 7], 9), noise(1, [5, 6], 9))
