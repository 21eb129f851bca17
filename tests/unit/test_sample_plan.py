"""Which model answers at which temperature."""

from collections import Counter

from streams.sample_plan import Draw, plan_draws

TEMPERATURES = (0.2, 0.5, 0.9)


def plan(
    prompt: str = "p", models: int = 2, generated: int | None = None, seed: int = 0
) -> list[Draw]:
    return plan_draws(
        prompt, models=models, temperatures=TEMPERATURES, generated=generated, seed=seed
    )


def test_by_default_every_cell_comes_once() -> None:
    cells = Counter((draw.model, draw.temperature) for draw in plan())
    assert cells == {(m, t): 1 for m in (0, 1) for t in TEMPERATURES}


def test_more_than_the_grid_goes_round_again_with_other_seeds() -> None:
    draws = plan(generated=8)
    assert [draw.ordinal for draw in draws] == list(range(1, 9))
    assert len({draw.seed for draw in draws}) == 8
    assert (draws[6].model, draws[6].temperature) == (draws[0].model, draws[0].temperature)


def test_fewer_cover_the_grid_evenly_over_prompts() -> None:
    cells = Counter(
        (draw.model, draw.temperature) for n in range(3000) for draw in plan(f"p{n}", generated=1)
    )
    assert len(cells) == 6
    assert all(400 < count < 600 for count in cells.values())


def test_seeds_follow_prompt_and_seed_and_fit_31_bits() -> None:
    seeds = {
        draw.seed for args in (("p", 0), ("q", 0), ("p", 1)) for draw in plan(args[0], seed=args[1])
    }
    assert len(seeds) == 18
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_no_models_no_draws() -> None:
    assert plan(models=0) == []
