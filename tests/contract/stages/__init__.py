"""Every provider's stage; a provider without one fails ``test_stages.py``."""

from tests.contract.stage import Stage
from tests.contract.stages.caldav import IcloudStage, RadicaleStage, XandikosStage
from tests.contract.stages.ews import EwsStage
from tests.contract.stages.google import GoogleStage
from tests.contract.stages.graph import GraphStage

STAGES: tuple[type[Stage], ...] = (
    RadicaleStage,
    XandikosStage,
    IcloudStage,
    GoogleStage,
    GraphStage,
    EwsStage,
)
