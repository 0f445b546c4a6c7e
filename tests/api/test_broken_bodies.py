"""Bodies that cannot be read are the caller's fault, and nothing to log (R2, R14)."""

import pytest
from structlog.testing import capture_logs

from tests.api.serving import Api

PATHS = {"/oauth/token": "invalid_request", "/dashboard/login": "invalid_parameters"}


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_is_not_encoded_as_declared_is_400(api: Api, path: str) -> None:
    headers = {"Content-Encoding": "gzip"}
    with capture_logs() as lines:
        answer = await api.client.post(path, data=b"hello", headers=headers)
        told = await answer.json(content_type=None)
    assert (answer.status, told.get("error") or told["code"]) == (400, PATHS[path])
    assert [one for one in lines if one["log_level"] != "debug"] == []
