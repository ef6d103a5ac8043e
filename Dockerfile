# syntax=docker/dockerfile:1
# Stage 1 builds; stage 2 has Python and the operator: no shell, no pip, no compiler.
# Both have the Python of Debian 13, 3.13, so that compiled extensions and byte code of the one run in the other.
# For a release, pin both: --build-arg BASE_IMAGE=gcr.io/distroless/python3-debian13@sha256:...
ARG BUILD_IMAGE=python:3.13-slim-trixie
ARG BASE_IMAGE=gcr.io/distroless/python3-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
ENV PIP_NO_DEPS=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
# Dependencies first: this layer changes only with the lock. Each file that is installed has one of its hashes, and what
# builds and describes the operator does not get into it. Wheels of all of them exist for both processors (make wheels).
# What describes it has an environment of its own: on PYTHONPATH it would describe itself, too.
COPY requirements/build.txt requirements/image.txt requirements/release.txt requirements/
RUN pip install --no-cache-dir --no-compile --require-hashes --requirement requirements/build.txt \
 && python3 -m venv --without-pip /release \
 && pip --python /release/bin/python install --no-cache-dir --no-compile --require-hashes --requirement requirements/release.txt \
 && pip install --no-cache-dir --no-compile --require-hashes --target /app --requirement requirements/image.txt
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY controller controller
COPY api api
COPY hack/slim.py hack/sbom.py ./
RUN pip install --no-cache-dir --no-compile --no-build-isolation --target /app --upgrade . \
 # half of what was installed is for others; what is left is proved to serve the operator
 && python3 -B slim.py /app \
 # the bill of what is left: CycloneDX, with licences and hashes
 && /release/bin/python sbom.py /app requirements/image.txt /app/sbom.cdx.json \
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
# One heap for all threads: each of a hundred would keep what it once needed, 4 MB in all, and Python's lock has them take
# turns anyway.
ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=1 \
    OPERATOR_COMMIT="${OPERATOR_COMMIT}"
USER 65532:65532
# Does what was built there load here? (there is no shell: an exec form)
RUN ["python3", "-c", "import controller.app, controller.metricsproxy.__main__, controller.smlogs.app, ssl, orjson, yaml"]
# 8080 metrics (loopback unless told otherwise), 8081 health, 8443 metrics over HTTPS (controller.metricsproxy)
EXPOSE 8080 8081 8443
ENTRYPOINT ["python3", "-m", "controller"]
