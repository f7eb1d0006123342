"""The pages of the server: what a client may keep, what it never gets, and what it sees while a site is built."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.build_github import at, attempt
from tests.serving import FILES, python, server_here, write_site
from trackside.server.site_folder import Site, load_site

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def test_the_first_page_and_every_file_come_with_their_type_and_the_headers_of_a_safe_page(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        page = served.get("/")
        assert (page.status, page.body.decode()) == (200, FILES["index.html"])
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"] == POLICY
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-cache"
        assert "server" not in page.headers
        assert served.get("/assets/site.css").headers["content-type"] == "text/css; charset=utf-8"
        assert served.get("/ci/jobs/unit-1a2b3c4d.html").status == 200


def test_what_a_client_has_already_is_not_sent_again(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        plain = served.get("/index.html")
        packed = served.get("/index.html", accept_encoding="gzip")
        assert gzip.decompress(packed.body) == plain.body
        assert plain.headers["etag"] != packed.headers["etag"]
        assert packed.headers["vary"] == "Accept-Encoding"
        for tag in (plain.headers["etag"], f"W/{packed.headers['etag']}", f'"x", {plain.headers["etag"]}', "*"):
            again = served.get("/index.html", if_none_match=tag)
            assert (again.status, again.body) == (304, b"")
        assert served.get("/index.html", if_none_match='"other"').status == 200


@pytest.mark.parametrize(
    ("said", "is_packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False), ("identity", False), ("", False)],
)
def test_only_who_takes_gzip_gets_it(tmp_path: Path, said: str, is_packed: bool) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        assert ("content-encoding" in served.get("/index.html", accept_encoding=said).headers) is is_packed


def test_an_asset_under_the_digest_of_its_content_is_kept_for_good(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        digest = hashlib.sha256(FILES["assets/site.css"].encode()).hexdigest()[:8]
        assert "immutable" in served.get(f"/assets/site.css?v={digest}").headers["cache-control"]
        assert served.get("/assets/site.css?v=00000000").headers["cache-control"] == "no-cache"


def test_head_tells_what_get_would_and_sends_no_body(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        got, told = served.get("/index.html"), served.ask("HEAD", "/index.html")
        assert (told.status, told.body) == (200, b"")
        assert told.headers["content-length"] == str(len(got.body))
        assert told.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt", "/ci/jobs/..",
        "//secret.txt", "/data/", "/ci", "/assets", "/.hidden", "/link.txt", "/inside/secret.txt", "/index.html%00",
        "/data/site.json/", "/INDEX.html", "/etc/passwd",
    ],
)  # fmt: skip
def test_nothing_but_files_of_the_site_is_served(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.txt").write_text("a secret", encoding="utf-8")
    with server_here(tmp_path) as served:
        served.until_ready()
        (served.folder / ".hidden").write_text("a secret", encoding="utf-8")
        (served.folder / "link.txt").symlink_to(tmp_path / "secret.txt")
        (served.folder / "inside").symlink_to(tmp_path)
        write_site(served.source, {**FILES, "new.html": "new"})
        served.store.add_runs([attempt(1)], at(0))
        served.until(lambda: served.get("/new.html").status == 200)
        answer = served.get(path)
        assert answer.status == 404
        assert b"a secret" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
def test_pages_are_only_read(tmp_path: Path, method: str) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        answer = served.ask(method, "/index.html", b"x=1")
        assert answer.status == 405
        assert list(answer.json) == ["error"]
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_page_says_that_the_site_is_being_built_and_looks_again(tmp_path: Path) -> None:
    with server_here(tmp_path, build=python("import time; time.sleep(60)")) as served:
        page = served.get("/ci.html")
        assert page.status == 503
        assert b'http-equiv="refresh" content="2"' in page.body
        assert page.headers["retry-after"] == "2"
        assert page.headers["cache-control"] == "no-store"
        assert served.get("/data/site.json").json == {"error": "The site is being built for the first time."}


def test_that_the_site_could_not_be_built_is_on_the_page_and_not_why(tmp_path: Path) -> None:
    code = "import sys; sys.exit('Error: The store holds <script>alert(1)</script> no run.')"
    with server_here(tmp_path, build=python(code)) as served:
        served.until(lambda: b"could not be built" in served.get("/").body)
        page = served.get("/").body
        assert b"The site was not built: once since" in page
        assert b"The store holds" not in page
        assert b"<script" not in page


def test_the_server_says_of_the_site_that_it_is_live(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        told = served.get("/data/site.json")
        assert told.json["live"] is True
        assert told.json["generated_at"] == "2026-11-22T06:00:00Z"
        assert json.loads((served.folder / "data/site.json").read_text())["live"] is False


def test_a_store_that_changed_makes_another_site_and_the_old_one_is_served_until_then(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        tag = served.get("/assets/site.css").headers["etag"]
        write_site(served.source, {"index.html": "news"}, "2026-11-22T07:00:00Z")
        assert served.get("/").body != b"news"
        served.store.add_runs([attempt(1)], at(0))
        served.until(lambda: served.get("/").body == b"news")
        assert served.get("/data/site.json").json["generated_at"] == "2026-11-22T07:00:00Z"
        assert served.get("/assets/site.css").headers["etag"] == tag


def test_what_an_earlier_server_built_is_served_at_once(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
    with server_here(tmp_path, build=python("import time; time.sleep(60)")) as served:
        served.until_ready()
        assert served.get("/").status == 200


def test_files_that_did_not_change_are_not_packed_again(tmp_path: Path) -> None:
    write_site(tmp_path, FILES)
    before = load_site(tmp_path, Site())
    os.utime(tmp_path / "index.html", ns=(1, 1))
    after = load_site(tmp_path, before)
    assert after.files["assets/site.css"] is before.files["assets/site.css"]
    assert after.files["index.html"] is not before.files["index.html"]
    assert after.files["index.html"].digest == before.files["index.html"].digest


def test_a_folder_without_the_list_of_a_site_is_no_site(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("half a site", encoding="utf-8")
    assert load_site(tmp_path, Site()).files == {}
    assert load_site(tmp_path / "nowhere", Site()).generated_at is None
