"""`prefstream vllm`: vLLM as the judge and policy server, in an environment of its own."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Serve models by vLLM, from an environment of its own.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command()
def install() -> None:
    """Install vLLM for the CPU into the cache folder, from a lock file with hashes (about 6 GB).

    Not needed where PREFSTREAM_VLLM_PYTHON names the python of an environment that has vLLM.

    [bold]Examples[/bold]

      prefstream vllm install
    """
    from infra.settings import Settings
    from infra.vllm import install as install_vllm

    settings = Settings()
    python = install_vllm(settings)
    if settings.vllm_python:
        typer.echo(f"nothing to install: PREFSTREAM_VLLM_PYTHON is used, {python}")
    else:
        typer.echo(f"vLLM is installed: {python}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def up(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that save_pretrained wrote.")
    ],
    name: Annotated[
        str | None, typer.Option(help="What clients call the model; default: the folder's name.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free one.")] = 8000,
    cache_gib: Annotated[
        int, typer.Option(min=1, help="Memory for keys and values on a CPU, in GiB.")
    ] = 1,
) -> None:
    """Serve a model folder until SIGTERM or Ctrl-C; ready after about two minutes on a CPU.

    Options that are not listed here go to vLLM. Clients must send PREFSTREAM_MODEL_API_KEY where
    it is set.

    [bold]Examples[/bold]

      prefstream vllm up examples/harbor/checkpoints/judge --max-model-len 512
      PREFSTREAM_VLLM_PYTHON=/opt/vllm/bin/python prefstream vllm up models/judge --port 8001
      PREFSTREAM_MODEL_URL=http://127.0.0.1:8000/v1 prefstream worker judge
    """
    from infra.ports import free_port
    from infra.settings import Settings
    from infra.vllm import START_TIMEOUT_S, is_ready, start
    from schemas.errors import Fatal

    chosen, called = port or free_port(), name or folder.resolve().name
    server = start(
        Settings(), folder, name=called, port=chosen, options=context.args, cache_gib=cache_gib
    )
    try:
        typer.echo(f"starting vLLM; its log is {server.log_path}", err=True)
        took_s = server.wait_ready(lambda: is_ready(chosen), START_TIMEOUT_S)
        typer.echo(
            f"model {called} at http://127.0.0.1:{chosen}/v1 after {took_s:.0f} s (Ctrl-C stops it)"
        )
        code = server.wait()
    finally:
        server.stop()
    raise Fatal(f"vLLM ended by itself with exit code {code}: {server.log_tail()}")
