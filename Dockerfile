# Pin the base by digest where you deploy: `python:3.11-slim-bookworm@sha256:…`; a tag can move.
FROM python:3.11-slim-bookworm AS build

WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
 && python -m venv --without-pip /opt/firstline \
 && /opt/build/bin/uv pip sync --no-cache --system-certs --compile-bytecode --require-hashes \
      --build-constraint requirements/build.txt --python /opt/firstline/bin/python \
      requirements/runtime.txt
COPY . .
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
 && /opt/build/bin/uv pip install --no-cache --offline --no-deps --compile-bytecode \
      --python /opt/firstline/bin/python /dist/*.whl

FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data \
      --shell /usr/sbin/nologin firstline \
 && install -d -m 0700 -o firstline -g firstline /data /data.audit
COPY --from=build /opt/firstline /opt/firstline
ENV PATH=/opt/firstline/bin:$PATH \
    FIRSTLINE_DATA=/data
USER 10001:10001
WORKDIR /data
VOLUME /data /data.audit
ENTRYPOINT ["firstline"]
