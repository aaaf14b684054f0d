# Any image with python3 (3.11 or newer) and its module venv will do; scripts/test-container passes its own.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY core core
COPY plugins plugins
# pip has done its work after this line; what is not in the image needs no updates.
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check . './plugins[notify]' \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

FROM ${BASE_IMAGE}
COPY --from=build /opt/venv /opt/venv

# Only the journal's folder belongs to the container's user. conf and shared_volume are to be mounted: where that
# was forgotten, the anonymous volume in their place is empty and root's, so the start ends with an error instead
# of flags that nobody on the host ever sees.
WORKDIR /opt/app
RUN install -d -o 10001 -g 10001 -m 0770 var && install -d -m 0755 conf shared_volume
VOLUME ["/opt/app/conf", "/opt/app/shared_volume", "/opt/app/var"]

ENV PATH=/opt/venv/bin:$PATH \
    DUCT_TAPE_BIND=0.0.0.0:9000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# A number, so that "must run as non-root" rules can see it.
USER 10001:10001
EXPOSE 9000

# Without curl, which slim images do not have. Changing the port changes it here too.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
    CMD ["python3", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['DUCT_TAPE_BIND'].rsplit(':')[-1]), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]

# No shell in between: the server is process 1, gets SIGTERM itself and ends with 0.
# `docker compose run --rm duct-tape check` runs the other commands.
ENTRYPOINT ["duct-tape"]
CMD ["serve"]
