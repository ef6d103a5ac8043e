"""Continue tokens: where the next page of a list begins, at which revision. Source: k8s.io/apiserver pkg/storage."""

import base64
import binascii
import json

from hack.sandbox.kube import errors
from hack.sandbox.kube.causes import go_quote


def write_token(revision: int, start: str) -> str:
    """The token of the page that begins at key `start`, of a list read at `revision` (-1: at the current one)."""
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_token(token: str) -> tuple[int, str]:
    """Revision and start key of a token. Raises 400."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        content = json.loads(data)
        return int(content["rv"]), str(content["start"])
    except binascii.Error:
        raise errors.bad_request("invalid continue token: continue key is not valid: illegal base64 data") from None
    except (ValueError, KeyError, TypeError):
        first = go_quote(chr(data[0])).strip('"') if data else ""
        why = f"invalid character '{first}' looking for beginning of value"
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {why}") from None
