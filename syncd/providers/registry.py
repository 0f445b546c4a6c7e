"""The providers that syncd connects."""

from syncd.providers import caldav, ews, google, graph, icloud
from syncd.providers.kind import Kind

KINDS: tuple[Kind, ...] = (google.KIND, graph.KIND, ews.KIND, caldav.KIND, icloud.KIND)
