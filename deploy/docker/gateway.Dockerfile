# The gateway with the web page built in: docker build -f deploy/docker/gateway.Dockerfile -t flowork-gateway .

FROM node:20-bookworm-slim AS gui
# Where the network inspects TLS: --build-arg NODE_EXTRA_CA_CERTS=<a file of the base image>
ARG NODE_EXTRA_CA_CERTS
WORKDIR /src/gui
COPY gui/package.json gui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY gui ./
# Types are checked where the tests are; here the page is only put together.
RUN npx vite build

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/flowork
COPY requirements/gateway.txt /src/requirements/gateway.txt
RUN /opt/flowork/bin/pip install --require-hashes -r /src/requirements/gateway.txt
COPY pyproject.toml README.md /src/
COPY docs /src/docs
COPY examples /src/examples
COPY shared /src/shared
COPY gateway /src/gateway
COPY core_engine /src/core_engine
COPY flowork /src/flowork
RUN /opt/flowork/bin/pip install --no-deps --no-build-isolation /src \
 && cd /opt/flowork/lib/python3.11/site-packages \
 && rm -rf core_engine flowork \
 && /opt/flowork/bin/pip uninstall --yes hatchling editables pip
COPY --from=gui /src/gateway/gui /opt/flowork/lib/python3.11/site-packages/gateway/gui

FROM python:3.11-slim-bookworm
ENV PATH=/opt/flowork/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    FLOWORK_DATA_DIR=/data GATEWAY_HOST=0.0.0.0
RUN groupadd --gid 10001 flowork \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin flowork \
 && install -d -o flowork -g flowork -m 0700 /data /data/gateway
COPY --from=build /opt/flowork /opt/flowork
COPY deploy/gunicorn.conf.py deploy/docker/health.py /app/deploy/
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=5 \
    CMD ["python", "/app/deploy/health.py", "http://127.0.0.1:8000/api/v1/system/health"]
CMD ["gunicorn", "-c", "/app/deploy/gunicorn.conf.py", "--worker-tmp-dir", "/dev/shm", "gateway.wsgi:app"]
