"""One version from each bundled sender, in bytes that it really sent, signed as it signs: a deploy on the host."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from attrs import evolve, frozen
from tests.e2e.machine import DEPLOY, Machine, until
from tests.senders_support import PAYLOADS, needs_payloads

SECRET = b"only-for-this-test-of-all-senders"
KEY = base64.b64encode(bytes(range(32)))
# Each sender has an application of its name.
INSTANCE = """
[plugins.{name}]
use = "{plugin}"
{more}
triggers = ["deploy"]
[plugins.{name}.repositories."{pattern}"]
application = "{name}"
{on}
"""
SECRETS = 'secrets = [{ file = "sender" }]'


def hexadecimal(body: bytes) -> str:
    return hmac.new(SECRET, body, "sha256").hexdigest()


def gitea(body: bytes) -> dict[str, str]:
    return {"X-Gitea-Event": "release", "X-Gitea-Delivery": str(uuid.uuid4()), "X-Gitea-Signature": hexadecimal(body)}


def gogs(body: bytes) -> dict[str, str]:
    return {"X-Gogs-Event": "create", "X-Gogs-Delivery": str(uuid.uuid4()), "X-Gogs-Signature": hexadecimal(body)}


def gitlab(body: bytes) -> dict[str, str]:
    return {"X-Gitlab-Event": "Release Hook", "Idempotency-Key": str(uuid.uuid4()), "X-Gitlab-Token": SECRET.decode()}


def signed_gitlab(body: bytes) -> dict[str, str]:
    number, at = str(uuid.uuid4()), str(int(time.time()))
    digest = hmac.digest(base64.b64decode(KEY), f"{number}.{at}.".encode() + body, "sha256")
    signature = {"webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
    return {"X-Gitlab-Event": "Tag Push Hook", "webhook-id": number, "webhook-timestamp": at, **signature}


def bitbucket(body: bytes) -> dict[str, str]:
    signature = {"X-Hub-Signature": f"sha256={hexadecimal(body)}"}
    return {"X-Event-Key": "repo:push", "X-Request-UUID": str(uuid.uuid4()), **signature}


def data_center(body: bytes) -> dict[str, str]:
    signature = {"X-Hub-Signature": f"sha256={hexadecimal(body)}"}
    return {"X-Event-Key": "repo:refs_changed", "X-Request-Id": str(uuid.uuid4()), **signature}


def github(event: str) -> Callable[[bytes], dict[str, str]]:
    def headers(body: bytes) -> dict[str, str]:
        signature = {"X-Hub-Signature-256": f"sha256={hexadecimal(body)}"}
        return {"X-GitHub-Event": event, "X-GitHub-Delivery": str(uuid.uuid4()), **signature}

    return headers


@frozen(kw_only=True)
class Sent:
    """What a sender sent once.

    :param more: lines of its instance's table.
    """

    name: str
    plugin: str
    file: str
    headers: Callable[[bytes], dict[str, str]]
    more: str = SECRETS
    on: str = ""
    pattern: str = "*/*"
    path: str = ""
    edited: Callable[[bytes], bytes] = lambda body: body

    def body(self) -> bytes:
        return self.edited((PAYLOADS / self.file).read_bytes())

    def table(self) -> str:
        return INSTANCE.format(name=self.name, plugin=self.plugin, more=self.more, on=self.on, pattern=self.pattern)


def with_tag(body: bytes) -> bytes:
    """The one image of GitHub's that is stored has no tag, and is of a type of its early days."""
    payload = json.loads(body)
    package = payload["registry_package"]
    package["package_type"] = "CONTAINER"
    package["package_version"]["container_metadata"]["tag"]["name"] = "1.2.3"
    return json.dumps(payload).encode()


TAG = 'on = ["tag"]'
ALL = (
    Sent(
        name="github", plugin="github", file="github/octokit-webhooks/release/released.json",
        headers=github("release"),
    ),
    Sent(name="gitea", plugin="gitea", file="gitea/go-playground-webhooks/release-event.json", headers=gitea),
    Sent(
        name="gogs", plugin="gitea", file="gogs/drone-go-scm/tag_create.json", headers=gogs, on=TAG,
        more=f'{SECRETS}\nflavour = "gogs"',
    ),
    Sent(name="gitlab", plugin="gitlab", file="gitlab/go-playground-webhooks/release-event.json", headers=gitlab),
    Sent(
        name="signed-gitlab", plugin="gitlab", file="gitlab/drone-go-scm/tag_create.json", headers=signed_gitlab,
        on=TAG, more='signing_secrets = [{ file = "signing" }]',
    ),
    Sent(
        name="bitbucket", plugin="bitbucket", file="bitbucket-cloud/drone-go-scm/push_tag_create.json",
        headers=bitbucket,
    ),
    Sent(
        name="data-center", plugin="bitbucket", file="bitbucket-server/drone-go-scm/push_tag_create.json",
        headers=data_center,
    ),
    Sent(
        name="docker-hub", plugin="registry", file="dockerhub/go-playground-webhooks/docker_hub_build_notice.json",
        headers=lambda body: {}, more=f'{SECRETS}\nkind = "docker-hub"', path=f"/{SECRET.decode()}",
    ),
    Sent(
        name="ghcr", plugin="registry", file="ghcr/octokit-webhooks/registry_package.published.docker.payload.json",
        headers=github("registry_package"), more=f'{SECRETS}\nkind = "ghcr"', edited=with_tag,
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("senders"))
    common = machine.configuration.read_text().partition("[plugins.github]")[0]
    machine.configuration.write_text(common + "".join(sent.table() for sent in ALL))
    (machine.folder / "sender").write_bytes(SECRET)
    (machine.folder / "signing").write_bytes(b"whsec_" + KEY)
    for sent in ALL:
        script = machine.folder / "applications" / sent.name / "bin/deploy"
        script.parent.mkdir(parents=True)
        script.write_text(DEPLOY.format(record=machine.record))
        script.chmod(0o755)
    try:
        machine.serve()
        machine.listen()
        yield machine
    finally:
        machine.close()


def post(machine: Machine, sent: Sent, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=20)
    try:
        given = {"Content-Type": "application/json", **headers}
        connection.request("POST", f"/integrations/{sent.name}{sent.path}", body, given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@needs_payloads
@pytest.mark.parametrize("sent", ALL, ids=lambda sent: sent.name)
def test_a_version_of_each_sender_is_deployed_once(machine: Machine, sent: Sent) -> None:
    body = sent.body()
    headers = sent.headers(body)
    code, answer = post(machine, sent, body, headers)
    assert (code, answer["status"]) == (202, "accepted"), answer
    until(lambda: [line for line in machine.deployed() if line.split()[0] == sent.name])
    code, answer = post(machine, sent, body, headers)
    assert (code, answer["status"]) == (200, "duplicate"), answer
    [line] = [line for line in machine.deployed() if line.split()[0] == sent.name]
    assert line.removeprefix(f"{sent.name} ") in body.decode()


@needs_payloads
@pytest.mark.parametrize("sent", ALL, ids=lambda sent: sent.name)
def test_nobody_else_can_say_so(machine: Machine, sent: Sent) -> None:
    body = sent.body()
    # What proves the sender, as somebody would make it who does not know the secret.
    headers = {
        name: value.replace(value[10:14], "0000") if "ignature" in name or "Token" in name else value
        for name, value in sent.headers(body).items()
    }
    wrong = evolve(sent, path=f"{sent.path}x" if sent.path else "")
    assert post(machine, wrong, body, headers)[0] == 401
