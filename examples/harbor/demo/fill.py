"""The first half of a demo run: everything that people and production write into the topics."""

import asyncio

from examples.harbor.demo.backend import Backend
from examples.harbor.demo.display import Display
from examples.harbor.demo.incoming import labelled, production
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.workspace import Workspace
from schemas.events import Completion
from streams.inference.open_model import open_model


def fill(backend: Backend, workspace: Workspace, sizes: Sizes, display: Display) -> None:
    """Publish anchors with their labels, then answers with their thumbs as they are written.

    The anchors come first: the judge can work on them while production still writes.
    """
    backend.publish(labelled(sizes))
    model = open_model(f"path:{workspace.checkpoints / 'policy'}", backend.settings)
    with asyncio.Runner() as runner:
        try:
            done = 0
            for events in production(model, sizes, runner):
                backend.publish(events)
                done += sum(isinstance(event, Completion) for event in events)
                display.published(done, sizes.prompts * sizes.users)
        finally:
            runner.run(model.aclose())
