"""The providers that syncd connects."""

from syncd.providers import caldav, icloud
from syncd.providers.kind import Kind

KINDS: tuple[Kind, ...] = (caldav.KIND, icloud.KIND)
