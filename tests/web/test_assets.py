"""What pages link to: their own files, and what was taken from elsewhere as it is."""

import re
from hashlib import sha256
from pathlib import Path

from syncd.web import assets
from tests.api.serving import Api

STATIC = Path(assets.__file__).parent / "static"
ROW = re.compile(
    r"^\| `([\w.]+)` \| `htmx\.org`.*?\| ([\d.]+) \| 0BSD .*? `([0-9a-f]{64})` \|$", re.MULTILINE
)


def test_vendored_files_are_what_their_publisher_made() -> None:
    rows = ROW.findall((STATIC / "VENDORED.md").read_text())
    assert [name for name, _, _ in rows] == ["htmx.min.js"]
    for name, version, checksum in rows:
        text = (STATIC / name).read_bytes()
        assert sha256(text).hexdigest() == checksum
        assert f'version:"{version}"'.encode() in text
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE").read_text()


def test_no_script_of_ours_turns_text_into_markup() -> None:
    ours = (STATIC / "desk.js").read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in ours


async def test_a_file_is_kept_until_it_is_another_one(api: Api) -> None:
    for name in assets.NAMES:
        answer = await api.get(assets.address(name), token="")
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert await answer.read() == (STATIC / name).read_bytes()
        plain = await api.get(f"/static/{name}?v=old", token="")
        assert plain.headers["Cache-Control"] == "public, max-age=3600"
    assert (await api.get("/static/VENDORED.md", token="")).status == 404
