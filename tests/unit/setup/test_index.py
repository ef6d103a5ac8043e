"""Where packages come from: pip's settings for uv, and the line for an index that does not answer."""

from pathlib import Path

import pytest

from hack.setup.index import explanation, is_unreachable, pip_files, pip_settings, uv_variables
from tests.tables import each_row


def test_pips_settings_win_in_its_order(tmp_path: Path) -> None:
    """The environment over `[install]` over `[global]`; the user's file over the system's."""
    texts = {
        "system": "[global]\nindex-url = https://system\ncert = /etc/ca.pem\n[list]\nformat = json\n",
        "user": "[global]\nindex-url = https://user\nfind-links =\n  /a\n  /b\n[install]\ntrusted-host = user\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    files = [tmp_path / name for name in (*texts, "missing")]

    assert pip_settings(files, {"PIP_TRUSTED_HOST": "env", "HOME": "/"}) == {
        "index-url": "https://user",
        "cert": "/etc/ca.pem",
        "find-links": "\n/a\n/b",
        "trusted-host": "env",
    }


def test_a_file_that_pip_cannot_read_is_left_to_pip(tmp_path: Path) -> None:
    """Which names it when it runs; uv needs no such file."""
    (tmp_path / "pip.conf").write_text("index-url https://i\n")
    assert pip_settings([tmp_path / "pip.conf"], {}) == {}


FILES: list[tuple[dict[str, str], list[str]]] = [
    # the environment, files of the user, in pip's order
    ({}, ["/home/me/.pip/pip.conf", "/home/me/.config/pip/pip.conf"]),
    ({"XDG_CONFIG_HOME": "/home/me/xdg"}, ["/home/me/.pip/pip.conf", "/home/me/xdg/pip/pip.conf"]),
    ({"PIP_CONFIG_FILE": "/home/me/p"}, ["/home/me/.pip/pip.conf", "/home/me/.config/pip/pip.conf", "/home/me/p"]),
    ({"PIP_CONFIG_FILE": "/dev/null"}, []),
]


@pytest.mark.parametrize(("environment", "expected"), FILES)
def test_configuration_is_looked_for_where_pip_does(environment: dict[str, str], expected: list[str]) -> None:
    """As "Configuration files" of pip's documentation."""
    found = [str(path) for path in pip_files({"HOME": "/home/me"} | environment)]
    assert [path for path in found if path.startswith("/home/me") and "Library" not in path] == expected
    assert ("/etc/pip.conf" in found) == bool(expected)


SETTINGS: list[tuple[dict[str, str], dict[str, str], dict[str, str]]] = [
    # pip's settings, the environment, what uv gets in addition
    ({}, {}, {}),
    ({"index-url": "https://i"}, {}, {"UV_DEFAULT_INDEX": "https://i"}),
    ({"index-url": "https://i"}, {"UV_DEFAULT_INDEX": "https://u"}, {}),
    ({"index-url": "https://i"}, {"UV_INDEX_URL": "https://u"}, {}),
    ({"extra-index-url": "https://e"}, {}, {"UV_INDEX": "https://e", "UV_INDEX_STRATEGY": "unsafe-best-match"}),
    ({"cert": "/ca"}, {}, {"SSL_CERT_FILE": "/ca"}),
    ({"cert": "/ca"}, {"SSL_CERT_FILE": "/other"}, {}),
    ({"proxy": "http://p"}, {}, {"ALL_PROXY": "http://p"}),
    ({"proxy": "http://p"}, {"https_proxy": "http://q"}, {}),
    ({"find-links": "/nowhere https://w.example\n"}, {}, {"UV_FIND_LINKS": "https://w.example"}),
    ({"find-links": "/nowhere"}, {}, {}),
    ({"disable-pip-version-check": "1"}, {}, {}),
]


@each_row(("settings", "environment", "variables"), SETTINGS)
def test_uv_uses_what_is_configured_for_pip(
    settings: dict[str, str], environment: dict[str, str], variables: dict[str, str]
) -> None:
    """And its own configuration first."""
    assert uv_variables(settings, environment) == variables


RETRY = "Retry(total=0, connect=None, read=None, redirect=None, status=None)"
REFUSED = "Failed to establish a new connection: [Errno 111] Connection refused"
OBJECT = "pip._vendor.urllib3.connection.HTTPSConnection object at 0x7fe8c37abd90"
UNREACHABLE: list[tuple[str, str]] = [
    # what pip and uv print: refused, no name, a proxy, a certificate, a refusal of the index
    (
        f"WARNING: Retrying ({RETRY}) after connection broken by 'NewConnectionError('<{OBJECT}>: {REFUSED}')': /uv/",
        REFUSED,
    ),
    ("  cause: dns error", "dns error"),
    (
        "error: Failed to fetch: `https://me:secret@i.example/simple/uv/`",
        "Failed to fetch: `https://i.example/simple/uv/`",
    ),
    ("  ╰─▶ invalid peer certificate: UnknownIssuer", "invalid peer certificate: UnknownIssuer"),
    ("ERROR: HTTP error 403 while getting https://i: 403 Client Error: Forbidden", "403 Client Error: Forbidden"),
    ("  Caused by: tunnel error: unsuccessful", "tunnel error: unsuccessful"),
]


@each_row(("line", "cause"), UNREACHABLE)
def test_an_index_that_does_not_answer_is_one_line(line: str, cause: str) -> None:
    """Its cause, and what to set; no password, no object's address."""
    output = ["Collecting uv", line, "ERROR: No matching distribution found for uv"]
    assert is_unreachable(output)
    said = explanation(output)
    assert cause in said
    assert "\n" not in said
    assert all(word in said for word in ("HTTPS_PROXY", "PIP_INDEX_URL", "PIP_CERT"))
    assert not any(word in said for word in ("secret", "object at", "Retry("))


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
        "ERROR: Could not find a version that satisfies the requirement uv==0 (from versions: 0.1, 0.2)",
        "error: No space left on device (os error 28)",
    ],
)
def test_other_failures_are_not_the_networks(line: str) -> None:
    """They are shown as they are."""
    assert not is_unreachable([line])
