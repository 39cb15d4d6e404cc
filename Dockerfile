# Built and run as docs/guide/running.md says.
FROM python:3.11-slim AS builder

RUN python -m venv /opt/patchgate
ENV PATH=/opt/patchgate/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# The dependencies come first: a layer that changes only with the lock file.
COPY requirements-run.lock /build/
RUN pip install --require-hashes -r /build/requirements-run.lock

COPY pyproject.toml README.md LICENSE /build/
COPY aws /build/aws
COPY bot /build/bot
COPY commands /build/commands
COPY deploy/ssm /build/deploy/ssm
COPY patching /build/patching
COPY sandbox /build/sandbox
COPY scheduler /build/scheduler
COPY storage /build/storage
RUN pip wheel --no-deps --wheel-dir /build/wheels /build && pip install --no-deps /build/wheels/*.whl


FROM python:3.11-slim AS runtime

COPY --from=builder /opt/patchgate /opt/patchgate
# The volume takes over the owner of the directory that it is declared on.
RUN install -d -o 10001 -g 10001 /data
ENV PATH=/opt/patchgate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PATCHGATE_DATABASE=/data/patchgate.db \
    PATCHGATE_CONFIG=/config/patchgate.yaml
USER 10001:10001
VOLUME /data
ENTRYPOINT ["patchgate"]
CMD ["run"]
