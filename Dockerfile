# Images of the platform, one target for each:
#
#   api       the scoring service: churn/, service/ and the packages of requirements-serve.lock
#   stream    the worker that scores a Kafka topic: the same code and the packages of requirements-stream.lock
#   seldon    the same model behind Seldon Core 1's microservice
#   mlserver  the same model behind MLServer, for Seldon Core 2
#   pipeline  run.py and everything it needs, on every stack
#   batch     the same, for one batch: --set input=... --set output=... are its arguments
#   mlflow    the tracking server, with the same MLflow as the pipelines and a PostgreSQL driver
#
#   docker build --target api --tag churn-api:0.1.0 .
#
# docs/containers.md explains how to run each. The base may be any image with Python 3.11 and apt.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# Needs pip, too; an image gets only the environment that is installed here.
ARG BUILD_IMAGE=${PYTHON_IMAGE}

# Base of every image.
FROM ${PYTHON_IMAGE} AS runtime
# LightGBM needs OpenMP's library. A Debian release has only one build of it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 churn \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin churn \
    && install --directory --owner 10001 --group 10001 /state /store \
    && install --directory /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="churn-platform" \
      org.opencontainers.image.description="Who is about to leave, why, and what is it worth doing about it?" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# By number: Kubernetes cannot see from a name that this is not root.
USER 10001:10001

# Installs pinned packages; not part of any image.
FROM ${BUILD_IMAGE} AS installer
ARG UV_VERSION=0.13.9
RUN python3.11 -m pip install --no-cache-dir --target /uv "uv==${UV_VERSION}"
# Compiled here, because no bytecode can be written to a read-only root. uv's lock file is world-writable, so it is deleted.
ENV PATH=/uv/bin:$PATH \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
RUN uv venv --no-project --python python3.11 /venv
WORKDIR /locks

FROM installer AS serving-packages
COPY requirements-serve.lock ./
RUN uv pip install --python /venv/bin/python --requirements requirements-serve.lock \
    && rm -f /venv/.lock

FROM installer AS stream-packages
COPY requirements-stream.lock ./
RUN uv pip install --python /venv/bin/python --requirements requirements-stream.lock \
    && rm -f /venv/.lock

FROM installer AS seldon-packages
COPY service/seldon/requirements.txt ./
RUN uv pip install --python /venv/bin/python --requirements requirements.txt \
    && rm -f /venv/.lock

FROM installer AS mlserver-packages
COPY service/seldon/requirements-mlserver.txt ./
RUN uv pip install --python /venv/bin/python --requirements requirements-mlserver.txt \
    && rm -f /venv/.lock

FROM installer AS pipeline-packages
COPY requirements-stacks.lock ./
RUN uv pip install --python /venv/bin/python --requirements requirements-stacks.lock \
    && rm -f /venv/.lock

FROM installer AS mlflow-packages
COPY requirements.lock deployment/manifests/mlflow/requirements.txt ./
RUN uv pip install --python /venv/bin/python --constraints requirements.lock --requirements requirements.txt \
    && rm -f /venv/.lock

FROM runtime AS seldon
COPY --from=seldon-packages /venv /venv
COPY churn churn
COPY service service
# For a remote bundle while it is loaded; a container's /tmp is its own.
ENV CHURN_SCRATCH_FOLDER=/tmp/churn
# REST, gRPC, metrics. The bundle's address is a parameter of the graph or the variable BUNDLE_URI.
EXPOSE 9000 5000 6000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9000/health/ping', timeout=2)"]
ENTRYPOINT ["seldon-core-microservice", "service.seldon.model.ChurnModel"]
CMD ["--service-type", "MODEL"]

FROM runtime AS mlserver
COPY --from=mlserver-packages /venv /venv
COPY churn churn
COPY service service
# Core 2 sets the folder that it downloads models to.
ENV MLSERVER_MODELS_DIR=/store \
    CHURN_SCRATCH_FOLDER=/tmp/churn \
    MLSERVER_PARALLEL_WORKERS=0
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/v2/health/live', timeout=2)"]
CMD ["sh", "-c", "exec mlserver start \"$MLSERVER_MODELS_DIR\""]

FROM runtime AS pipeline
COPY --from=pipeline-packages /venv /venv
# The locks beside run.py: the doctor compares them, and the keys of the cache contain them.
COPY run.py pyproject.toml requirements.lock requirements-data.lock requirements-deep.lock requirements-stacks.lock ./
COPY churn churn
COPY configs configs
COPY data data
COPY deployment deployment
COPY materializers materializers
COPY pipelines pipelines
COPY registry registry
COPY runner runner
COPY service service
COPY stacks stacks
COPY steps steps
# Everything is written to the volume; all else here is read-only. Steps in pods start ZenML by themselves.
ENV CHURN_HOME=/state \
    MPLBACKEND=Agg \
    ZENML_CONFIG_PATH=/state/zenml \
    ZENML_ANALYTICS_OPT_IN=false \
    GX_ANALYTICS_ENABLED=false \
    MLFLOW_DISABLE_TELEMETRY=true
VOLUME ["/state"]
# A job ends by itself, so it has no health check.
HEALTHCHECK NONE
ENTRYPOINT ["python", "run.py"]
CMD ["--list"]

FROM pipeline AS batch
HEALTHCHECK NONE
ENTRYPOINT ["python", "run.py", "--pipeline", "batch_inference", "--stack", "local"]
CMD ["--set", "input=data/raw/telco.csv", "--set", "output=/state/scores"]

FROM runtime AS mlflow
COPY --from=mlflow-packages /venv /venv
# One worker and no job runner: MLflow's default of four workers, and the eight processes of a job runner
# that is not used here, take 2 GB before the first request.
ENV MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
    MLFLOW_DISABLE_TELEMETRY=true
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=6 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:5000/health', timeout=2)"]
VOLUME ["/state"]
ENTRYPOINT ["mlflow", "server"]
CMD ["--host", "0.0.0.0", "--port", "5000", "--workers", "1", "--artifacts-destination", "/state/artifacts"]

FROM runtime AS stream
COPY --from=stream-packages /venv /venv
COPY churn churn
COPY service service
ENV CHURN_HOST=0.0.0.0 \
    CHURN_PORT=8001 \
    CHURN_STORE=/store \
    CHURN_LEDGER=sqlite:////state/ledger.db \
    CHURN_SCRATCH_FOLDER=/state/scratch
# Probes and metrics; customers arrive through Kafka.
EXPOSE 8001
VOLUME ["/state"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os; from urllib.request import urlopen; urlopen(f'http://127.0.0.1:{os.environ[\"CHURN_PORT\"]}/livez', timeout=2)"]
ENTRYPOINT ["python", "-m", "service.stream"]

# Last, so that `docker build .` builds it.
FROM runtime AS api
COPY --from=serving-packages /venv /venv
COPY churn churn
COPY service service
# Outside development the service refuses to start without an API key.
ENV CHURN_ENVIRONMENT=production \
    CHURN_HOST=0.0.0.0 \
    CHURN_PORT=8000 \
    CHURN_STORE=/store \
    CHURN_LEDGER=sqlite:////state/ledger.db \
    CHURN_SCRATCH_FOLDER=/state/scratch
EXPOSE 8000
VOLUME ["/state"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os; from urllib.request import urlopen; urlopen(f'http://127.0.0.1:{os.environ[\"CHURN_PORT\"]}/livez', timeout=2)"]
ENTRYPOINT ["python", "-m", "service.api"]
