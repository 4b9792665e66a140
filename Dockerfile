# The monitor as a small, non-root image that works offline once built: `docker compose up -d`.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
RUN python3 -m venv --without-pip /opt/monitor
COPY pyproject.toml uv.lock ./
RUN VIRTUAL_ENV=/opt/monitor /opt/uv/bin/uv sync --system-certs --locked --active --no-dev --no-install-project --no-cache --compile-bytecode
COPY README.md LICENSE feeds.yaml ./
COPY monitor monitor
COPY storage storage
RUN VIRTUAL_ENV=/opt/monitor /opt/uv/bin/uv sync --system-certs --locked --active --no-dev --no-editable --no-cache --compile-bytecode

FROM ${BASE}
RUN groupadd --system --gid 10001 monitor \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin monitor \
 && mkdir -p /data /etc/monitor && chown 10001:10001 /data
COPY --from=build /opt/monitor /opt/monitor
COPY feeds.yaml /etc/monitor/feeds.yaml
ENV PATH=/opt/monitor/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MONITOR_CONFIG=/etc/monitor/feeds.yaml \
    MONITOR_DATABASE=/data/signals.db
USER 10001:10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5m --timeout=30s --start-period=10m --retries=3 CMD ["monitor", "healthcheck"]
CMD ["monitor", "run"]
