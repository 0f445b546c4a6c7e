"""What the command line can ask for, by name; every answer is JSON, ids and tokens as text."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from syncd.runtime.operations import (
    access,
    activity,
    applications,
    feeds,
    health,
    profiles,
    store,
    webhooks,
)

Operation = Callable[..., Awaitable[Any]]

OPERATIONS: Mapping[str, Operation] = {
    "activity.read": activity.read,
    "application.add": applications.add,
    "application.change": applications.change,
    "application.list": applications.list_all,
    "application.remove": applications.remove,
    "application.rotate": applications.rotate,
    "db.backup": store.backup,
    "db.check": store.check,
    "db.upgrade": store.upgrade,
    "doctor": health.doctor,
    "feed.list": feeds.list_all,
    "feed.remove": feeds.remove,
    "profile.add": profiles.add,
    "profile.confirm_deletes": profiles.confirm_deletes,
    "profile.list": profiles.list_all,
    "profile.pause": profiles.pause,
    "profile.relink": profiles.relink,
    "profile.remove": profiles.remove,
    "profile.resume": profiles.resume,
    "profile.show": profiles.show,
    "profile.sync": profiles.sync,
    "status": health.status,
    "token.create": access.create_token,
    "token.list": access.list_tokens,
    "token.revoke": access.revoke_token,
    "user.add": access.add_user,
    "user.list": access.list_users,
    "webhook.add": webhooks.add,
    "webhook.change": webhooks.change,
    "webhook.deliveries": webhooks.deliveries,
    "webhook.list": webhooks.list_all,
    "webhook.pause": webhooks.pause,
    "webhook.remove": webhooks.remove,
    "webhook.replay": webhooks.replay,
    "webhook.resume": webhooks.enable,
    "webhook.rotate": webhooks.rotate,
    "webhook.show": webhooks.show,
    "webhook.test": webhooks.try_out,
}
