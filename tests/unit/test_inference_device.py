"""Where models of this process compute, as decided with and without a graphics card."""

from pathlib import Path

import pytest
import torch

from infra.settings import AskedDevice, Settings
from schemas.errors import ConfigError, Fatal
from streams.inference.device import (
    Device,
    a_full_card_is_fatal,
    chosen,
    compute_device,
    has_bfloat16,
)
from streams.inference.open_model import open_model
from tests.unit.inference_fixtures import tiny_model

__all__ = ["tiny_model"]


@pytest.mark.parametrize(
    ("asked", "cuda", "expected"),
    [
        ("auto", True, "cuda"),
        ("auto", False, "cpu"),
        ("cpu", True, "cpu"),
        ("cpu", False, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_a_card_is_used_unless_the_cpu_is_asked_for(
    asked: AskedDevice, cuda: bool, expected: Device
) -> None:
    assert chosen(asked, cuda=cuda) == expected


def test_a_card_that_is_asked_for_and_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"PREFSTREAM_DEVICE=cuda.*nvidia-smi.*auto or cpu"):
        chosen("cuda", cuda=False)


def test_the_environment_is_asked_where_no_settings_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFSTREAM_DEVICE", "cpu")
    assert compute_device() == "cpu"
    monkeypatch.setenv("PREFSTREAM_DEVICE", "gpu")
    with pytest.raises(ConfigError, match=r"PREFSTREAM_DEVICE='gpu'.*auto, cpu or cuda"):
        compute_device()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a card")
def test_a_model_is_not_opened_where_the_card_is_missing(tiny_model: Path) -> None:
    with pytest.raises(ConfigError, match="PREFSTREAM_DEVICE=cuda"):
        open_model(f"path:{tiny_model}", Settings(device="cuda"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx2 avx512f", False), ("avx2 avx512_bf16", True), ("amx_bf16", True)],
)
def test_a_processor_has_bfloat16_by_its_flags(
    flags: str, expected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"flags : {flags}\n")
    monkeypatch.setattr("streams.inference.device._CPU_INFO", info)
    assert has_bfloat16("cpu") is expected


def test_a_full_card_is_told_in_a_sentence() -> None:
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore of it")
    with (
        pytest.raises(Fatal) as raised,
        a_full_card_is_fatal("model judge, 512 requests at once", "ask for fewer at once"),
    ):
        raise full
    assert raised.value.__cause__ is full
    assert str(raised.value) == (
        "model judge, 512 requests at once: the graphics card has no memory left (CUDA out of "
        "memory. Tried to allocate 2.00 GiB.); ask for fewer at once, end what else uses the card, "
        "or set PREFSTREAM_DEVICE=cpu"
    )


@pytest.mark.parametrize(
    "text", ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"]
)
def test_a_card_that_others_fill_is_told_likewise(text: str) -> None:
    with pytest.raises(Fatal, match="no memory left"), a_full_card_is_fatal("loading", "wait"):
        raise RuntimeError(text)


def test_other_errors_are_left_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), a_full_card_is_fatal("loading", "wait"):
        raise RuntimeError("shapes do not match")
