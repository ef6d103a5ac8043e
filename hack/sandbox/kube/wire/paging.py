"""Continue tokens: start and revision of the next page of a list. Source: k8s.io/apiserver pkg/storage."""

import base64
import json
import re
from typing import Final

from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.causes import go_quote

_VERSION: Final = "meta.k8s.io/v1"


def write_token(revision: int, start: str) -> str:
    """Return the token of the page that starts at key `start`, of a list at `revision` (-1: the current one)."""
    text = json.dumps({"v": _VERSION, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_token(token: str) -> tuple[int, str]:
    """Return revision and start key of a token. Raises 400."""
    found = re.search(r"[^A-Za-z0-9_-]", token)
    if found or len(token) % 4 == 1:
        raise _invalid(f"illegal base64 data at input byte {found.start() if found else len(token) - 1}")
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    try:
        content = json.loads(data)
        version, revision, start = (content.get(member, "") for member in ("v", "rv", "start"))
    except (ValueError, AttributeError):
        first = go_quote(chr(data[0])).strip('"') if data else ""
        raise _invalid(f"invalid character '{first}' looking for beginning of value") from None
    if version != _VERSION:
        raise _invalid(f"server does not recognize this encoded version {version}")
    if not isinstance(revision, int) or not revision:
        raise _invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not isinstance(start, str) or not start:
        raise _invalid("encoded start key empty (version meta.k8s.io/v1)")
    return revision, start


def _invalid(why: str) -> errors.StatusError:
    return errors.bad_request(f"invalid continue token: continue key is not valid: {why}")
