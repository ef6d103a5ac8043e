# syntax=docker/dockerfile:1
# Stage 1 builds; stage 2 has Python and the operator: no shell, no pip, no compiler.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
# Dependencies first: this layer changes only with setup.cfg, which bounds their versions.
COPY setup.cfg pyproject.toml README.md LICENSE ./
# hadolint ignore=DL3013
RUN mkdir controller api && touch controller/__init__.py api/__init__.py \
 # cryptography: the metrics front end's certificate where none is mounted (controller/metricsproxy/selfsigned.py)
 && pip install --no-cache-dir --target /app ".[metrics-proxy]" \
 && rm -rf /app/controller /app/api /app/bin
COPY controller controller
COPY api api
RUN pip install --no-cache-dir --no-deps --target /app --upgrade . \
 && rm -rf /app/bin \
 # the root file system is read-only at run time: compile now
 && python -m compileall -q -j 0 /app

FROM gcr.io/distroless/python3-debian12:nonroot
# The Python of this image is 3.11, like stage 1's: compiled extensions fit.
COPY --from=build /app /app
ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
# 8080 metrics (loopback unless told otherwise), 8081 health, 8443 metrics over HTTPS (controller.metricsproxy)
EXPOSE 8080 8081 8443
ENTRYPOINT ["/usr/bin/python3", "-m", "controller"]
