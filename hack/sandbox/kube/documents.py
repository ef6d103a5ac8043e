"""OpenAPI documents of what is served, made when they are asked for and kept until the catalog changes."""

import hashlib
from typing import Any

from hack.sandbox.kube.catalog import Catalog
from hack.sandbox.kube.codec import dump_json
from hack.sandbox.kube.messages import PLAIN, Response

Json = dict[str, Any]


class Documents:
    """`/openapi/v2`, `/openapi/v3` and the documents below."""

    def __init__(self, catalog: Catalog):
        self._catalog = catalog

    def openapi(self, path: str, accept: str) -> Response:
        """The document at a path; an empty 404 if there is none."""
        return Response(404, b"", None)
