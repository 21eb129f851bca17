"""A run event to everyone who has to know: the log first, then the webhook."""

from infra.publish import publish
from infra.settings import Settings
from infra.webhook import post
from schemas.events import Run
from trainer.promotion.announcement import announcement


def tell(settings: Settings, run: Run) -> None:
    """Publish the event, and post it where it wants telling; raises ``DependencyDown`` only."""
    publish(settings, [run])
    message = announcement(run)
    if message is not None:
        post(settings.webhook_url, message)
