"""A run event to everyone who has to know: the log first, then the webhook."""

from pydantic import SecretStr

from infra.publish import publish
from infra.settings import Settings
from infra.webhook import post
from schemas.events import Run
from trainer.promotion.announcement import announcement


def tell(settings: Settings, run: Run) -> None:
    """Publish the event, and post it where it wants telling; raises ``DependencyDown`` only."""
    publish(settings, [run])
    announce(settings.webhook_url, run)


def announce(webhook: SecretStr | None, run: Run) -> None:
    """Post an event that is in the log already, or cannot be, where it wants telling."""
    message = announcement(run)
    if message is not None:
        post(webhook, message)
