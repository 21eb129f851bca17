"""The sliding window: never more tasks than slots, failures told once, late work cancelled."""

import asyncio

from streams.runner.window import Window


async def test_no_more_tasks_than_slots() -> None:
    window = Window(3, on_failure=lambda _: None)
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    for _ in range(20):
        await window.slot()
        window.start(work())
    assert await window.drain(within_s=60) == 0
    assert most == 3


async def test_the_first_failure_is_told_once() -> None:
    told: list[BaseException] = []
    window = Window(4, told.append)

    async def fail(error: Exception) -> None:
        raise error

    first = ValueError("first")
    for error in (first, ValueError("second")):
        await window.slot()
        window.start(fail(error))
    await window.drain(within_s=60)
    assert told == [first]
    assert window.failure is first


async def test_late_work_is_cancelled_and_no_failure() -> None:
    window = Window(2, on_failure=lambda _: None)
    await window.slot()
    window.start(asyncio.Event().wait())  # type: ignore[arg-type]
    assert await window.drain(within_s=0) == 1
    assert window.failure is None
    assert len(window) == 0


async def test_an_unused_slot_can_be_given_back() -> None:
    window = Window(1, on_failure=lambda _: None)
    await window.slot()
    window.give_back()
    await window.slot()
