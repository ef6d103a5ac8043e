# syntax=docker/dockerfile:1
# Stage 1 builds; stage 2 has Python and the operator: no shell, no pip, no compiler.
# Both have the Python of Debian 13, 3.13, so that compiled extensions and byte code of the one run in the other.
# For a release, pin both: --build-arg BASE_IMAGE=gcr.io/distroless/python3-debian13@sha256:...
ARG BUILD_IMAGE=python:3.13-slim-trixie
ARG BASE_IMAGE=gcr.io/distroless/python3-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# Dependencies first: this layer changes only with setup.cfg, which bounds their versions.
COPY setup.cfg pyproject.toml README.md LICENSE ./
# hadolint ignore=DL3013
RUN mkdir controller api && touch controller/__init__.py api/__init__.py \
 # cryptography: the metrics front end's certificate where none is mounted (controller/metricsproxy/selfsigned.py)
 && pip install --no-cache-dir --no-compile --root-user-action ignore --target /app ".[metrics-proxy]" \
 && rm -rf /app/controller /app/api
COPY controller controller
COPY api api
COPY hack/slim.py ./
RUN pip install --no-cache-dir --no-compile --root-user-action ignore --no-deps --target /app --upgrade . \
 # half of what was installed is for others; what is left is proved to serve the operator
 && python3 -B slim.py /app \
 # the root file system is read-only at run time: compile now, but for the client's classes, which nobody loads
 && python3 -m compileall -q -j 0 -x '/kubernetes/client/(api|models)/' /app

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
ARG OPERATOR_COMMIT=""
LABEL org.opencontainers.image.title="sagemaker-k8s-operator" \
      org.opencontainers.image.description="Kubernetes operator for Amazon SageMaker" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${OPERATOR_COMMIT}"
COPY --from=build /app /app
ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPERATOR_COMMIT="${OPERATOR_COMMIT}"
USER 65532:65532
# Does what was built there load here? (there is no shell: an exec form)
RUN ["python3", "-c", "import controller.app, controller.metricsproxy.server, controller.smlogs.app, ssl, orjson, yaml"]
# 8080 metrics (loopback unless told otherwise), 8081 health, 8443 metrics over HTTPS (controller.metricsproxy)
EXPOSE 8080 8081 8443
ENTRYPOINT ["python3", "-m", "controller"]
