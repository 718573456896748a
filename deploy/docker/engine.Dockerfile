# The engine and the command line: docker build -f deploy/docker/engine.Dockerfile -t flowork-engine .

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/flowork
COPY requirements/runtime.txt /src/requirements/runtime.txt
RUN /opt/flowork/bin/pip install --require-hashes -r /src/requirements/runtime.txt
COPY pyproject.toml README.md /src/
COPY docs /src/docs
COPY examples /src/examples
COPY shared /src/shared
COPY gateway /src/gateway
COPY core_engine /src/core_engine
COPY flowork /src/flowork
RUN /opt/flowork/bin/pip install --no-deps --no-build-isolation /src \
 && rm -rf /opt/flowork/lib/python3.11/site-packages/gateway \
 && /opt/flowork/bin/pip uninstall --yes hatchling editables pip

FROM python:3.11-slim-bookworm
ENV PATH=/opt/flowork/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    FLOWORK_DATA_DIR=/data FLOWORK_HOME=/tmp/flowork ENGINE_SOCKET_HOST=0.0.0.0
RUN groupadd --gid 10001 flowork \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin flowork \
 && install -d -o flowork -g flowork -m 0700 /data /data/gateway /data/engine /data/components /data/files /backup
COPY --from=build /opt/flowork /opt/flowork
COPY deploy/docker/health.py /app/deploy/
WORKDIR /app
USER 10001:10001
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=5 \
    CMD ["python", "/app/deploy/health.py", "http://127.0.0.1:8989/health"]
CMD ["python", "-P", "-m", "core_engine"]
