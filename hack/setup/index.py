"""Where packages come from: pip's settings in uv's words, and one line for a package index that cannot be reached."""

import configparser
import os
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

_IN_UVS_WORDS: Final = {
    # pip's setting: (uv's variable, variables that already decide it)
    "index-url": ("UV_DEFAULT_INDEX", ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX")),
    "extra-index-url": ("UV_INDEX", ("UV_INDEX", "UV_EXTRA_INDEX_URL")),
    "no-index": ("UV_NO_INDEX", ("UV_NO_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL")),
    "find-links": ("UV_FIND_LINKS", ("UV_FIND_LINKS",)),
    "cert": ("SSL_CERT_FILE", ("SSL_CERT_FILE",)),
    "trusted-host": ("UV_INSECURE_HOST", ("UV_INSECURE_HOST",)),
    "proxy": ("ALL_PROXY", ("ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy")),
}
_UNREACHABLE: Final = re.compile(
    r"Retrying \(|Connection ?Error|ProxyError|SSLError|ConnectTimeout|ReadTimeout|timed out|dns error"
    r"|certificate|[Cc]ould not connect|[Cc]onnection (refused|reset|failed)|error sending request|Failed to fetch"
    r"|\b(401|403|407|5\d\d)\b (Client|Server|Proxy|Unauthorized|Forbidden)|status (client|server) error|tunnel",
)
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]+@")
_NOISE: Final = re.compile(
    r"^\s*(?:error|warning|cause|caused by)?\W+(?=\w)"  # uv's and pip's marks
    r"|Retrying \(.*?\)\) after |<\S+ object at 0x\w+>(?:, |: )?|'(?=\w+\()",  # urllib3's objects
    re.IGNORECASE,
)


def pip_files(environment: Mapping[str, str] = os.environ, *, home: Path | None = None) -> list[Path]:
    """Return where pip's configuration may be, as pip's documentation lists it; later files win."""
    at_home = home or Path(environment.get("HOME", "/"))
    if (chosen := environment.get("PIP_CONFIG_FILE")) == os.devnull:
        return []
    folders = environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
    user = Path(environment.get("XDG_CONFIG_HOME") or at_home / ".config")
    mac = Path("Library", "Application Support")
    return [
        *(Path(folder, "pip", "pip.conf") for folder in (*folders, f"/{mac}")),
        Path("/etc/pip.conf"),
        at_home / ".pip" / "pip.conf",
        *(folder / "pip" / "pip.conf" for folder in (user, at_home / mac)),
        Path(sys.prefix, "pip.conf"),
        *([Path(chosen)] if chosen else []),
    ]


def pip_settings(files: Iterable[Path], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return pip's settings by name (`index-url`): variables win over `[install]`, and that over `[global]`.

    Read here, since this Python may have no pip, and half a second is a tenth of a set-up. What pip could not read,
    neither is read here: pip itself reports it.
    """
    parser = configparser.RawConfigParser(strict=False)
    with suppress(configparser.Error, UnicodeDecodeError):
        parser.read(files)
    found: dict[str, str] = {}
    for section in ("global", "install"):
        found |= dict(parser[section]) if parser.has_section(section) else {}
    variables = {name.removeprefix("PIP_"): value for name, value in environment.items() if name.startswith("PIP_")}
    return found | {name.lower().replace("_", "-"): value for name, value in variables.items()}


def uv_variables(settings: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that make uv, which reads no pip configuration, use pip's index, proxy and certificates.

    What is set for uv itself stays. With a second index the locked version may come from either: hashes decide.
    """
    found: dict[str, str] = {}
    for name, (variable, deciding) in _IN_UVS_WORDS.items():
        value = settings.get(name, "").strip()
        if name == "find-links":
            value = ",".join(each for each in value.split() if "://" in each or Path(each).is_dir())
        if value and not any(environment.get(each) for each in deciding):
            found[variable] = value
    if "UV_INDEX" in found:
        found["UV_INDEX_STRATEGY"] = environment.get("UV_INDEX_STRATEGY", "unsafe-best-match")
    return found


def is_unreachable(output: Iterable[str]) -> bool:
    """Return whether an installer's output says that it could not talk to the index."""
    return any(_UNREACHABLE.search(line) for line in output)


def explanation(output: Iterable[str]) -> str:
    """Return one line: the last cause in the output of an installer, without credentials, and what to do about it."""
    causes = [line for line in output if _UNREACHABLE.search(line)]
    cause = _CREDENTIALS.sub("", _NOISE.sub("", causes[-1])).strip() if causes else "no answer"
    if len(cause) > 200:
        cause = f"{cause[:200]}…"
    return (
        f"the package index cannot be reached ({cause}); behind a proxy set HTTPS_PROXY, for an index of your own "
        "PIP_INDEX_URL, for its certificates PIP_CERT, and run make again"
    )
