"""Checks that the metrics are served, and only to callers with a token: the script of `helm test`."""

import ssl
import sys
import urllib.error
import urllib.request


def problem(url: str) -> str | None:
    """Return what is wrong with the metrics at a URL."""
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE  # the certificate may be made at start
    try:
        urllib.request.urlopen(url, context=anyone, timeout=20)
    except urllib.error.HTTPError as refusal:
        return None if refusal.code == 401 else f"answers {refusal.code} instead of 401 to a caller without a token"
    except OSError as error:
        return f"cannot be reached, so no replica is ready: {error}"
    return "is shown to a caller without a token"


found = problem(sys.argv[1])
print(f"{sys.argv[1]} {found or 'is served, and wants a token'}")
sys.exit(1 if found else 0)
