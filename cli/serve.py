"""`prefstream serve`: a model folder behind the OpenAI chat protocol."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import SecretStr

    from streams.inference.in_process import InProcessModel


def serve(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that save_pretrained wrote.")
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 = every one.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free one.")] = 8000,
    name: Annotated[
        str | None, typer.Option(help="What clients call the model; default: the folder's name.")
    ] = None,
    max_batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Requests that are decoded together; default: 64, on a graphics card 512."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of torch; default: one for each usable core.")
    ] = None,
) -> None:
    """Serve a trained checkpoint until SIGTERM or Ctrl-C.

    Speaks POST /v1/chat/completions (with logprobs, top_logprobs, seed and stop) and
    GET /v1/models. Clients must send PREFSTREAM_MODEL_API_KEY where it is set.

    [bold]Examples[/bold]

      prefstream serve examples/harbor/checkpoints/policy --port 8000
      PREFSTREAM_MODEL_URL=http://127.0.0.1:8000/v1 prefstream worker sample
    """
    from infra.settings import Settings
    from streams.inference.in_process import InProcessModel

    settings = Settings()
    model = InProcessModel(folder, name=name, max_batch=max_batch, threads=threads)
    asyncio.run(_serve(model, host, port, settings.model_api_key))


async def _serve(
    model: "InProcessModel", host: str, port: int, api_key: "SecretStr | None"
) -> None:
    import signal

    from streams.inference.server import chat_app, start_server

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner, url = await start_server(chat_app(model, api_key), host, port)
    try:
        typer.echo(f"model {model.model} at {url} (Ctrl-C stops it)")
        await stop.wait()
    finally:
        await runner.cleanup()
        await model.aclose()
